//! stub
/// x
#[derive(Debug, Default)]
pub struct Prepared { pub(crate) schema: crate::schema::CompiledSchema }
