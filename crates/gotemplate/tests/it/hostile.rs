//! Input made to hurt: each ends in an error or a result in bounded time and memory, on an ordinary thread.

use std::time::Duration;

use gotemplate::context::{Context, Environment};
use gotemplate::function::{Function, FunctionError};
use gotemplate::value::Value;
use gotemplate::value::types::{ANY, STRING};
use gotemplate::{Executor, Templates};

static HOST: &[Function] = &[
    Function::new("include", &[&STRING, &ANY], &STRING, |context: &mut Context<'_>, arguments| {
        let [Value::String(name), data] = arguments else { return Err("include".into()) };
        Ok(Value::String(context.execute(&name.lossy(), data.clone()).map_err(FunctionError::Template)?))
    }),
    Function::new("tpl", &[&STRING, &ANY], &STRING, |context: &mut Context<'_>, arguments| {
        let [Value::String(text), data] = arguments else { return Err("tpl".into()) };
        let result = context.execute_text("gotpl", text, data.clone());
        Ok(Value::String(result.map_err(|error| FunctionError::Custom(Box::new(error)))?))
    }),
];

/// Renders with small limits; the error's text on failure.
fn render(text: &str, data: Value) -> Result<String, String> {
    let functions = gotemplate::sprig::functions().with(gotemplate::data::FUNCTIONS).with(HOST);
    let mut templates = Templates::new(functions);
    templates.add("t", text.as_bytes()).map_err(|error| error.to_string())?;
    let mut environment = Environment::new(jiff::Timestamp::UNIX_EPOCH);
    environment.limits.bytes = 16 << 20;
    environment.limits.live_bytes = 64 << 20;
    environment.limits.steps = 2_000_000;
    let mut executor = Executor::new(templates, environment);
    executor.execute("t", data).map(|text| text.lossy().into_owned()).map_err(|error| error.to_string())
}

#[track_caller]
fn fails(text: &str, with: &str) {
    let result = fuzz::bounded(Duration::from_secs(120), 1 << 30, || render(text, Value::Nil));
    let error = result.expect_err(text.get(..80.min(text.len())).unwrap_or(text));
    assert!(error.contains(with), "{}", error.get(..2000).unwrap_or(&error));
}

#[test]
fn endless_recursion() {
    fails("{{define \"a\"}}{{template \"a\" .}}{{end}}{{template \"a\" .}}", "exceeded maximum template depth");
    fails(
        "{{define \"a\"}}{{include \"b\" .}}{{end}}{{define \"b\"}}{{include \"a\" .}}{{end}}{{include \"a\" .}}",
        "depth",
    );
    fails("{{tpl \"{{tpl . .}}\" \"{{tpl . .}}\"}}", "depth");
    fails(
        "{{define \"a\"}}{{range list 1}}{{with .}}{{if true}}{{include \"a\" (dict \"x\" (list 1 2 .))}}{{end}}{{end}}{{end}}{{end}}{{include \"a\" .}}",
        "depth",
    );
}

#[test]
fn endless_loops_and_output() {
    fails("{{range 1000000000000}}{{end}}", "steps");
    fails("{{range 1000000000000}}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx{{end}}", "limit");
    fails(
        "{{define \"a\"}}{{range 100}}{{template \"b\"}}{{end}}{{end}}{{define \"b\"}}{{range 1000}}{{range 1000}}{{end}}{{end}}{{end}}{{template \"a\"}}",
        "steps",
    );
    fails("{{$x := \"aaaaaaaa\"}}{{range 64}}{{$x = print $x $x}}{{end}}", "limit");
    fails("{{$x := \"aaaaaaaa\"}}{{range 64}}{{$x = printf \"%s%s%s\" $x $x $x}}{{end}}", "limit");
    fails("{{$x := list 1 2}}{{range 64}}{{$x = list $x $x}}{{end}}{{print $x}}", "limit");
    fails("{{$x := list 1 2}}{{range 64}}{{$x = list $x $x}}{{end}}{{$x}}", "limit");
    fails(
        "{{printf \"%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d\" 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1}}",
        "limit",
    );
    fails("{{repeat 1000000000 \"x\"}}", "");
    fails("{{until 1000000000 | len}}", "");
}

#[test]
fn deep_nesting() {
    let deep = |open: &str, close: &str, count: usize| format!("{}{}", open.repeat(count), close.repeat(count));
    fails(&format!("{{{{{}}}}}", deep("(", ")", 100_000)), "max expression depth exceeded");
    fails(&deep("{{if 1}}", "{{end}}", 100_000), "max expression depth exceeded");
    fails(
        &format!(
            "{}{{{{end}}}}",
            "{{if 1}}{{else if 1}}".replace("{{if 1}}", "").repeat(100_000).replacen("{{else if", "{{if", 1)
        ),
        "depth",
    );
    fails(&deep("{{block \"x\" .}}", "{{end}}", 100_000), "depth");
    assert_eq!(render(&format!("{{{{{}1{}}}}}", "(".repeat(200), ")".repeat(200)), Value::Nil).unwrap(), "1");
    let pipes = format!("{{{{1{}}}}}", " | print".repeat(50_000));
    assert_eq!(render(&pipes, Value::Nil).unwrap(), "1");
    let fields = format!("{{{{{}}}}}", ".a".repeat(50_000));
    assert_eq!(render(&fields, Value::Nil).unwrap(), "<no value>");
}

#[test]
fn deep_and_cyclic_values() {
    let nested = "{{$x := dict}}{{range 100000}}{{$x = dict \"a\" $x}}{{end}}";
    for function in ["toJson", "toYaml", "toYamlPretty", "toToml", "print", "kindOf", "len"] {
        let result = render(&format!("{nested}{{{{{function} $x | len}}}}"), Value::Nil);
        assert!(result.is_ok() || result.is_err(), "ends");
    }
    // 2^64 values made of 64 lists.
    let shared = "{{$x := list 1 2}}{{range 64}}{{$x = list $x $x}}{{end}}{{$y := list 1 2}}{{range 64}}{{$y = list $y $y}}{{end}}";
    for call in ["toJson $x", "toYaml $x", "toToml $x", "deepEqual $x $y"] {
        let text = format!("{shared}{{{{{call} | print | len}}}}");
        let result = fuzz::bounded(Duration::from_secs(120), 1 << 30, || render(&text, Value::Nil));
        println!("{call}: {result:.200?}");
    }
    let cyclic = "{{$x := dict}}{{$_ := set $x \"x\" $x}}";
    fails(&format!("{cyclic}{{{{mustToJson $x}}}}"), "encountered a cycle");
    for function in ["toJson", "toYaml", "toYamlPretty", "toToml", "print", "html", "deepEqual $x"] {
        let result = render(&format!("{cyclic}{{{{{function} $x | len}}}}"), Value::Nil);
        assert!(result.is_ok() || result.is_err(), "ends");
    }
}

/// Few lists and maps that share their parts hold exponentially many values.
#[test]
fn shared_values_are_bounded() {
    let lists = "{{$x := list 1 2}}{{range 60}}{{$x = list $x $x}}{{end}}";
    fails(&format!("{lists}{{{{deepCopy $x | len}}}}"), "limit");
    fails(&format!("{lists}{{{{mustDeepCopy $x | len}}}}"), "limit");
    let maps = |name: &str, leaf: &str| {
        format!(
            "{{{{${name} := dict \"k\" {leaf}}}}}{{{{range 60}}}}{{{{${name} = dict \"a\" ${name} \"b\" ${name}}}}}{{{{end}}}}"
        )
    };
    let (left, right) = (maps("x", "1"), maps("y", "2"));
    fails(&format!("{left}{{{{deepCopy $x | len}}}}"), "limit");
    for function in ["merge", "mergeOverwrite", "mustMerge", "mustMergeOverwrite"] {
        fails(&format!("{left}{right}{{{{{function} $x $y | len}}}}"), "limit");
    }
}

#[test]
fn lists_that_grow_are_bounded() {
    fails("{{$x := list 1}}{{range 60}}{{$x = concat $x $x}}{{end}}", "limit");
    fails("{{$x := list}}{{range 100000}}{{$x = append $x (until 100000)}}{{end}}", "limit");
    fails("{{$x := dict}}{{range $i, $_ := until 100000}}{{$_ = set $x (toString $i) (until 100000)}}{{end}}", "limit");
    fails(
        "{{$t := toYaml (until 100000)}}{{$x := list}}{{range 100000}}{{$x = append $x (fromYamlArray $t)}}{{end}}",
        "limit",
    );
}

/// A step can be long: what functions read counts too.
#[test]
fn work_on_long_values_is_bounded() {
    fails("{{$x := list}}{{range $i := until 100000}}{{$x = uniq (until 100000)}}{{end}}", "limit");
    fails("{{$x := until 100000}}{{range 100000}}{{has -1 $x}}{{end}}", "limit");
    fails("{{$x := until 3000}}{{range 100000}}{{without $x (index $x 1) (index $x 2)}}{{end}}", "limit");
    fails("{{$x := repeat 10000000 \"x\"}}{{range 100000}}{{regexMatch \"y\" $x}}{{end}}", "limit");
    fails("{{$x := repeat 10000000 \"x\"}}{{range 100000}}{{sha256sum $x}}{{end}}", "limit");
    fails("{{range $i, $_ := until 100000}}{{tpl (print $i (repeat 100000 \"x\")) .}}{{end}}", "limit");
}

#[test]
fn long_names() {
    let name = "n".repeat(10_000);
    fails(&format!("{{{{{name}}}}}"), "not defined");
    fails(&format!("{{{{${name}}}}}"), "undefined variable");
    fails(&format!("{{{{template \"{name}\"}}}}"), "not defined");
    assert_eq!(render(&format!("{{{{.{name}}}}}"), Value::Nil).unwrap(), "<no value>");
    assert_eq!(render(&format!("{{{{${name} := 1}}}}{{{{${name}}}}}"), Value::Nil).unwrap(), "1");
    assert_eq!(
        render(&format!("{{{{define \"{name}\"}}}}x{{{{end}}}}{{{{template \"{name}\"}}}}"), Value::Nil).unwrap(),
        "x"
    );
}

#[test]
fn a_larger_stack_allows_deeper_templates() {
    let text = "{{define \"a\"}}{{if .n}}{{include \"a\" (dict \"n\" (sub .n 1))}}{{else}}end{{end}}{{end}}{{include \"a\" (dict \"n\" 5000)}}";
    let result = gotemplate::stack::with_stack(128 << 20, || render(text, Value::Nil)).unwrap();
    assert_eq!(result.as_deref(), Ok("end"));
}
