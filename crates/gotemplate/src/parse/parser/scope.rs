//! The variables in scope and their slots.

use crate::parse::tree::Slots;

/// What belongs to the one definition that is being parsed.
#[derive(Default)]
pub(super) struct Scope {
    /// Names in scope with their slots; none for names that were only assigned to.
    pub(super) variables: Vec<(Box<str>, Option<Declared>)>,
    pub(super) slots: usize,
    pub(super) parentheses: usize,
    pub(super) range_depth: usize,
    /// Where the action began that is being parsed.
    pub(super) action: Option<usize>,
    /// Slots declared in parentheses.
    pub(super) conditional: Vec<usize>,
}

#[derive(Clone, Copy)]
pub(super) struct Declared {
    pub(super) slot: usize,
    pub(super) conditional: bool,
}

impl Scope {
    pub(super) fn new() -> Self {
        let root = Declared { slot: 0, conditional: false };
        Self { variables: vec![("$".into(), Some(root))], slots: 1, ..Self::default() }
    }

    pub(super) fn declare(&mut self, name: &str) -> Slots {
        let slot = self.slots;
        self.slots += 1;
        let conditional = self.parentheses > 0;
        if conditional {
            self.conditional.push(slot);
        }
        self.variables.push((name.into(), Some(Declared { slot, conditional })));
        Slots::One(slot)
    }

    pub(super) fn resolve(&self, name: &str) -> Slots {
        let mut slots = Vec::new();
        for (_, declared) in self.variables.iter().rev().filter(|variable| &*variable.0 == name) {
            if let Some(declared) = declared {
                slots.push(declared.slot);
                if !declared.conditional {
                    break;
                }
            }
        }
        match slots.as_slice() {
            [] => Slots::None,
            [slot] => Slots::One(*slot),
            _ => Slots::Many(slots.into()),
        }
    }
}
