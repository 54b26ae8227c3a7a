//! Printing one value by one verb.

use super::flags::{Base, Flags};
use super::float::Size;
use crate::value::{Kind, List, Map, Number, Object, Type, Value};

/// Nesting beyond which a value is cut off: only cyclic maps get there, and Go would print them until its stack is full.
const MAX_DEPTH: u32 = 500;

/// Prints values into a buffer under the flags of a directive.
pub(super) struct Printer<'a> {
    pub(super) output: &'a mut Vec<u8>,
    pub(super) flags: Flags,
    /// Set while a mistaken directive is reported: then methods are not used.
    erroring: bool,
    /// Leaves out the `&` before a struct.
    dereferenced: bool,
    /// The output is cut off once it is longer.
    limit: usize,
}

impl<'a> Printer<'a> {
    pub(super) fn new(output: &'a mut Vec<u8>) -> Self {
        let limit = output.len().saturating_add(super::MAX_TEXT);
        Self { output, flags: Flags::default(), erroring: false, dereferenced: false, limit }
    }

    /// Prints the struct behind a pointer, or its text where it has one.
    pub(super) fn dereferenced(&mut self, value: &Value, object: &dyn Object) {
        self.dereferenced = true;
        self.object(value, object, 'v', 0);
    }

    /// Prints an operand.
    pub(super) fn argument(&mut self, value: &Value, verb: char) {
        if value.is_nil() {
            match verb {
                'T' | 'v' => self.flags.pad(self.output, b"<nil>"),
                _ => self.bad_verb(value, verb),
            }
            return;
        }
        match verb {
            'T' => self.flags.string(self.output, value.type_name().as_bytes()),
            'p' => self.pointer(value, 'p'),
            'w' if matches!(value.kind(), Kind::Slice | Kind::Map | Kind::Pointer | Kind::Struct | Kind::Func)
                && !matches!(value, Value::Bytes(_)) =>
            {
                self.bad_verb(value, verb);
            }
            _ => self.value(value, verb, 0),
        }
    }

    /// Reports a verb that does not fit: `%!verb(type=value)`.
    fn bad_verb(&mut self, value: &Value, verb: char) {
        let erroring = std::mem::replace(&mut self.erroring, true);
        self.output.extend_from_slice(b"%!");
        self.character(verb);
        self.output.push(b'(');
        if value.is_nil() {
            self.output.extend_from_slice(b"<nil>");
        } else {
            self.output.extend_from_slice(value.type_name().as_bytes());
            self.output.push(b'=');
            self.argument(value, 'v');
        }
        self.output.push(b')');
        self.erroring = erroring;
    }

    pub(super) fn character(&mut self, character: char) {
        self.output.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }

    fn value(&mut self, value: &Value, verb: char, depth: u32) {
        if depth > MAX_DEPTH {
            self.output.extend_from_slice(b"...");
            return;
        }
        if self.output.len() > self.limit {
            return;
        }
        match value {
            Value::Nil => self.output.extend_from_slice(b"<nil>"),
            Value::Bool(truth) => match verb {
                't' | 'v' => self.flags.pad(self.output, if *truth { b"true" } else { b"false" }),
                _ => self.bad_verb(value, verb),
            },
            Value::Int(number) | Value::Int64(number) => self.signed(value, *number, verb),
            Value::Float(number) => self.float(value, *number, Size::Double, verb),
            Value::Number(number) => self.number(value, number, verb),
            Value::String(text) => self.string(value, text.as_bytes(), verb),
            Value::Bytes(bytes) => self.bytes(value, bytes, verb, depth),
            Value::List(list) => self.list(value, list, verb, depth),
            Value::Map(map) => self.map(map, verb, depth),
            Value::Object(object) => self.object(value, object.as_ref(), verb, depth),
            Value::Function(_) | Value::NilPointer(_) => self.pointer(value, verb),
        }
    }

    fn number(&mut self, value: &Value, number: &Number, verb: char) {
        if let Some(signed) = value.as_signed() {
            self.signed(value, signed, verb);
        } else if let Some(unsigned) = value.as_unsigned() {
            self.unsigned(value, unsigned, verb);
        } else {
            match number {
                Number::Complex128(parts) => self.complex(value, parts.0, parts.1, verb),
                _ => self.float(value, value.as_float().unwrap_or_default(), Size::Single, verb),
            }
        }
    }

    fn signed(&mut self, value: &Value, number: i64, verb: char) {
        self.integer(value, number.unsigned_abs(), number < 0, number as u64, verb);
    }

    fn unsigned(&mut self, value: &Value, number: u64, verb: char) {
        if verb == 'v' && self.flags.sharp_v {
            self.prefixed_hexadecimal(number);
            return;
        }
        self.integer(value, number, false, number, verb);
    }

    fn prefixed_hexadecimal(&mut self, number: u64) {
        Flags { sharp: true, ..self.flags }.integer(self.output, number, false, Base::Hexadecimal);
    }

    fn integer(&mut self, value: &Value, magnitude: u64, negative: bool, code: u64, verb: char) {
        let base = match verb {
            'v' | 'd' => Base::Decimal,
            'b' => Base::Binary,
            'o' => Base::Octal,
            'O' => Base::PrefixedOctal,
            'x' => Base::Hexadecimal,
            'X' => Base::UpperHexadecimal,
            'c' => return self.flags.character(self.output, code),
            'q' => return self.flags.quoted_character(self.output, code),
            'U' => return self.flags.unicode(self.output, code),
            _ => return self.bad_verb(value, verb),
        };
        self.flags.integer(self.output, magnitude, negative, base);
    }

    fn float(&mut self, value: &Value, number: f64, size: Size, verb: char) {
        match verb {
            'v' => self.flags.float(self.output, number, size, 'g', None),
            'b' | 'g' | 'G' | 'x' | 'X' => self.flags.float(self.output, number, size, verb, None),
            'f' | 'e' | 'E' | 'F' => self.flags.float(self.output, number, size, verb, Some(6)),
            _ => self.bad_verb(value, verb),
        }
    }

    fn complex(&mut self, value: &Value, real: f64, imaginary: f64, verb: char) {
        if !matches!(verb, 'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E') {
            return self.bad_verb(value, verb);
        }
        let plus = self.flags.plus;
        self.output.push(b'(');
        self.float(value, real, Size::Double, verb);
        self.flags.plus = true;
        self.float(value, imaginary, Size::Double, verb);
        self.output.extend_from_slice(b"i)");
        self.flags.plus = plus;
    }

    fn string(&mut self, value: &Value, text: &[u8], verb: char) {
        match verb {
            'v' if self.flags.sharp_v => self.flags.quoted(self.output, text),
            'v' | 's' => self.flags.string(self.output, text),
            'x' | 'X' => self.flags.hexadecimal_bytes(self.output, text, verb == 'X'),
            'q' => self.flags.quoted(self.output, text),
            _ => self.bad_verb(value, verb),
        }
    }

    fn bytes(&mut self, value: &Value, bytes: &[u8], verb: char, depth: u32) {
        match verb {
            's' => self.flags.string(self.output, bytes),
            'x' | 'X' => self.flags.hexadecimal_bytes(self.output, bytes, verb == 'X'),
            'q' => self.flags.quoted(self.output, bytes),
            'v' | 'd' if depth == 0 && self.flags.sharp_v => {
                self.output.extend_from_slice(b"[]byte{");
                for (index, byte) in bytes.iter().enumerate() {
                    if index > 0 {
                        self.output.extend_from_slice(b", ");
                    }
                    self.prefixed_hexadecimal(u64::from(*byte));
                }
                self.output.push(b'}');
            }
            _ => {
                let (open, separator, close): (&[u8], &[u8], u8) =
                    if self.flags.sharp_v { (b"{", b", ", b'}') } else { (b"[", b" ", b']') };
                if self.flags.sharp_v {
                    self.output.extend_from_slice(value.type_name().as_bytes());
                }
                self.output.extend_from_slice(open);
                for (index, byte) in bytes.iter().enumerate() {
                    if index > 0 {
                        self.output.extend_from_slice(separator);
                    }
                    self.unsigned(&Value::Number(Number::Uint8(*byte)), u64::from(*byte), verb);
                }
                self.output.push(close);
            }
        }
    }

    fn list(&mut self, value: &Value, list: &List, verb: char, depth: u32) {
        if verb == 'p' {
            return self.pointer(value, verb);
        }
        if self.flags.sharp_v {
            self.output.extend_from_slice(list.go_type().name.as_bytes());
            if list.is_nil() {
                self.output.extend_from_slice(b"(nil)");
                return;
            }
        }
        self.output.push(if self.flags.sharp_v { b'{' } else { b'[' });
        for (index, item) in list.items().iter().enumerate() {
            if index > 0 {
                self.output.extend_from_slice(if self.flags.sharp_v { b", " } else { b" " });
            }
            self.element(item, list.element_type(), verb, depth + 1);
        }
        self.output.push(if self.flags.sharp_v { b'}' } else { b']' });
    }

    fn element(&mut self, value: &Value, element_type: &Type, verb: char, depth: u32) {
        if verb == 'w' {
            return self.bad_verb(value, verb);
        }
        if value.is_nil() && self.flags.sharp_v {
            self.output.extend_from_slice(element_type.name.as_bytes());
            self.output.extend_from_slice(b"(nil)");
            return;
        }
        self.value(value, verb, depth);
    }

    fn map(&mut self, map: &Map, verb: char, depth: u32) {
        if self.flags.sharp_v {
            self.output.extend_from_slice(map.go_type().name.as_bytes());
            if map.is_nil() {
                self.output.extend_from_slice(b"(nil)");
                return;
            }
            self.output.push(b'{');
        } else {
            self.output.extend_from_slice(b"map[");
        }
        for (index, (key, value)) in map.snapshot().iter().enumerate() {
            if index > 0 {
                self.output.extend_from_slice(if self.flags.sharp_v { b", " } else { b" " });
            }
            self.string(&Value::String(key.clone()), key.as_bytes(), verb);
            self.output.push(b':');
            self.element(value, map.element_type(), verb, depth + 1);
        }
        self.output.push(if self.flags.sharp_v { b'}' } else { b']' });
    }

    fn object(&mut self, value: &Value, object: &dyn Object, verb: char, depth: u32) {
        if verb == 'w' {
            return self.bad_verb(value, verb);
        }
        if !self.erroring
            && !self.flags.sharp_v
            && matches!(verb, 'v' | 's' | 'x' | 'X' | 'q')
            && let Some(text) = object.text()
        {
            return self.string(&Value::String(text.clone()), text.as_bytes(), verb);
        }
        if let Some(underlying) = object.underlying() {
            return self.value(&underlying, verb, depth);
        }
        let mut name = object.go_type().name;
        if object.go_type().kind == Kind::Pointer {
            if depth > 0 {
                return self.pointer(value, verb);
            }
            if !self.dereferenced {
                self.output.push(b'&');
            }
            name = name.strip_prefix('*').unwrap_or(name);
        }
        if self.flags.sharp_v {
            self.output.extend_from_slice(name.as_bytes());
        }
        self.output.push(b'{');
        for (index, (field, value)) in object.fields().iter().enumerate() {
            if index > 0 {
                self.output.extend_from_slice(if self.flags.sharp_v { b", " } else { b" " });
            }
            if self.flags.plus_v || self.flags.sharp_v {
                self.output.extend_from_slice(field.as_bytes());
                self.output.push(b':');
            }
            self.element(value, value.go_type(), verb, depth + 1);
        }
        self.output.push(b'}');
    }

    /// Addresses differ from run to run in Go too; here they say where the shared data is.
    fn pointer(&mut self, value: &Value, verb: char) {
        let address = match value {
            Value::Map(map) if map.is_nil() => 0,
            Value::List(list) if list.is_nil() => 0,
            Value::Map(_) | Value::List(_) | Value::Bytes(_) => {
                0xc0_0000_0000 + std::ptr::from_ref(value) as u64 % 0xFFFF_FFFF
            }
            Value::Function(function) => std::ptr::from_ref::<crate::function::Function>(function) as u64,
            Value::NilPointer(_) => 0,
            Value::Object(object) if object.go_type().kind == Kind::Pointer => {
                std::rc::Rc::as_ptr(object).cast::<u8>() as u64
            }
            _ => return self.bad_verb(value, verb),
        };
        match verb {
            'v' if self.flags.sharp_v => {
                self.output.push(b'(');
                self.output.extend_from_slice(value.type_name().as_bytes());
                self.output.extend_from_slice(b")(");
                if address == 0 {
                    self.output.extend_from_slice(b"nil");
                } else {
                    self.prefixed_hexadecimal(address);
                }
                self.output.push(b')');
            }
            'v' if address == 0 => self.flags.pad(self.output, b"<nil>"),
            'v' => self.prefixed_hexadecimal(address),
            'p' => {
                let flags = Flags { sharp: !self.flags.sharp, ..self.flags };
                flags.integer(self.output, address, false, Base::Hexadecimal);
            }
            'b' | 'o' | 'd' | 'x' | 'X' => self.unsigned(value, address, verb),
            _ => self.bad_verb(value, verb),
        }
    }

    /// `%!verb(MISTAKE)`.
    pub(super) fn mistake(&mut self, verb: char, text: &str) {
        self.output.extend_from_slice(b"%!");
        self.character(verb);
        self.output.extend_from_slice(text.as_bytes());
    }

    /// The list of operands that no directive used.
    pub(super) fn extra(&mut self, arguments: &[Value]) {
        self.flags = Flags::default();
        self.output.extend_from_slice(b"%!(EXTRA ");
        for (index, argument) in arguments.iter().enumerate() {
            if index > 0 {
                self.output.extend_from_slice(b", ");
            }
            if argument.is_nil() {
                self.output.extend_from_slice(b"<nil>");
            } else {
                self.output.extend_from_slice(argument.type_name().as_bytes());
                self.output.push(b'=');
                self.argument(argument, 'v');
            }
        }
        self.output.push(b')');
    }
}
