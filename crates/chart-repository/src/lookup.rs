//! Finding a chart in a stored index; the tables of those in use are kept, a bounded number of them.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::index::{IndexError, IndexTable};
use crate::select::ChartVersion;

/// Tables kept. One has about 60 bytes a chart, so that the largest public repositories need a few hundred KiB.
const TABLES: usize = 32;

/// An index and its table, the latest used last.
type Kept = (PathBuf, Arc<IndexTable>);

/// Tables by the path of their index.
#[derive(Clone, Debug, Default)]
pub struct IndexTables {
    tables: Arc<Mutex<Vec<Kept>>>,
}

impl IndexTables {
    /// Keeps the table of an index that was just stored.
    pub fn put(&self, path: PathBuf, table: IndexTable) -> Arc<IndexTable> {
        let table = Arc::new(table);
        let mut tables = self.tables.lock();
        tables.retain(|(other, _)| *other != path);
        if tables.len() >= TABLES {
            tables.remove(0);
        }
        tables.push((path, Arc::clone(&table)));
        table
    }

    fn table(&self, path: &Path) -> Result<Arc<IndexTable>, IndexError> {
        let known = {
            let mut tables = self.tables.lock();
            tables.iter().position(|(other, _)| other == path).map(|position| {
                let entry = tables.remove(position);
                let table = Arc::clone(&entry.1);
                tables.push(entry);
                table
            })
        };
        match known {
            Some(table) => Ok(table),
            None => {
                let file = fs_err::File::open(path)?;
                Ok(self.put(path.to_owned(), IndexTable::scan(BufReader::with_capacity(128 << 10, file))?))
            }
        }
    }

    /// The versions of a chart; `None` when the index does not have it. Blocks on the file system.
    pub fn versions(&self, path: &Path, name: &str) -> Result<Option<Vec<ChartVersion>>, IndexError> {
        let table = self.table(path)?;
        let file: File = fs_err::File::open(path)?.into();
        let Some(entry) = table.read(file, name)? else { return Ok(None) };
        serde_json::from_slice(&entry)
            .map(Some)
            .map_err(|error| IndexError::Invalid(format!("entry '{name}' cannot be read: {error}")))
    }
}
