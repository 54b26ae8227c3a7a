//! The JSON of a release record, field by field as Go writes it.

use super::{Info, Release};
use crate::chart::{Chart, File};
use crate::go_json::{ObjectWriter, write_list, write_map, write_string};
use crate::manifest::write_hooks;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

impl Release {
    /// Appends the record's JSON.
    pub fn write_json(&self, out: &mut String) {
        let mut object = ObjectWriter::new(out);
        object.optional_string("name", &self.name);
        self.info.write_json(object.field("info"));
        write_chart(object.field("chart"), &self.chart);
        if let Some(config) = self.config.as_ref().filter(|config| !config.is_empty()) {
            write_map(object.field("config"), config);
        }
        object.optional_string("manifest", &self.manifest);
        if !self.hooks.is_empty() {
            write_hooks(object.field("hooks"), &self.hooks);
        }
        object.optional_integer("version", self.version);
        object.optional_string("namespace", &self.namespace);
        object.optional_string("apply_method", self.apply_method.as_str());
        object.end();
    }
}

impl Info {
    /// Appends the JSON of the info.
    pub fn write_json(&self, out: &mut String) {
        let mut object = ObjectWriter::new(out);
        object.optional_time("first_deployed", self.first_deployed);
        object.optional_time("last_deployed", self.last_deployed);
        object.optional_time("deleted", self.deleted);
        object.optional_string("description", &self.description);
        object.optional_string("status", &self.status);
        object.optional_string("notes", &self.notes);
        object.end();
    }
}

fn write_chart(out: &mut String, chart: &Chart) {
    let mut object = ObjectWriter::new(out);
    chart.metadata.write_json(object.field("metadata"));
    let out = object.field("lock");
    match &chart.lock {
        Some(lock) => lock.write_json(out),
        None => out.push_str("null"),
    }
    write_files(object.field("templates"), &chart.templates);
    let out = object.field("values");
    match &chart.values {
        Some(values) => write_map(out, values),
        None => out.push_str("null"),
    }
    let out = object.field("schema");
    match &chart.schema {
        Some(schema) => write_string(out, &STANDARD.encode(schema)),
        None => out.push_str("null"),
    }
    object.time("schemamodtime", chart.schema_modified);
    write_files(object.field("files"), &chart.files);
    object.optional_time("modtime", chart.modified);
    object.end();
}

fn write_files(out: &mut String, files: &[File]) {
    if files.is_empty() {
        out.push_str("null");
        return;
    }
    write_list(out, files, |out, file| {
        let mut object = ObjectWriter::new(out);
        object.string("name", &file.name);
        object.string("data", &STANDARD.encode(&file.data));
        object.optional_time("modtime", file.modified);
        object.end();
    });
}
