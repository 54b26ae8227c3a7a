//! Go's `%v` of template values.

/// The value as Go's `fmt` prints it.
pub(crate) fn print(value: &gotemplate::value::Value) -> String {
    gotemplate::format::display(value).lossy().into_owned()
}
