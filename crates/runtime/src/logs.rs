//! One JSON object a line, with the keys that `flux logs` reads (`ts`, `level`, `msg`, `error`, `controllerKind`, …).

use std::io::Write;

use serde_json::{Map, Value};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use crate::clock::Clock;

/// Writes events as JSON lines to `writer`.
pub(crate) struct JsonLayer<W> {
    writer: W,
    clock: Clock,
}

impl<W> JsonLayer<W> {
    pub(crate) fn new(writer: W, clock: Clock) -> Self {
        Self { writer, clock }
    }
}

/// A span's fields, kept with the span.
struct Fields(Map<String, Value>);

#[derive(Default)]
struct Collect(Map<String, Value>);

impl Visit for Collect {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.insert(field, Value::String(format!("{value:?}")));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, Value::String(value.to_owned()));
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value.into());
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value.into());
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value.into());
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value.into());
    }
}

impl Collect {
    fn insert(&mut self, field: &Field, value: Value) {
        let name = match field.name() {
            "message" => "msg",
            name if name.starts_with("otel.") => return,
            name => name,
        };
        self.0.insert(name.to_owned(), value);
    }
}

impl<S, W> Layer<S> for JsonLayer<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> tracing_subscriber::fmt::MakeWriter<'a> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut collect = Collect::default();
        attributes.record(&mut collect);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Fields(collect.0));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut collect = Collect::default();
        values.record(&mut collect);
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            fields.0.extend(collect.0);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Map::new();
        if let Some(scope) = context.event_scope(event) {
            for span in scope.from_root() {
                if let Some(fields) = span.extensions().get::<Fields>() {
                    line.extend(fields.0.iter().map(|(key, value)| (key.clone(), value.clone())));
                }
            }
        }
        let mut collect = Collect::default();
        event.record(&mut collect);
        line.extend(collect.0);
        let metadata = event.metadata();
        line.insert("level".into(), level_name(*metadata.level()).into());
        line.insert("ts".into(), self.clock.now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into());
        line.insert("logger".into(), metadata.target().into());
        let mut text = Value::Object(line).to_string();
        text.push('\n');
        // A log line that cannot be written has nowhere else to go.
        let _ = self.writer.make_writer_for(metadata).write_all(text.as_bytes());
    }
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parking_lot::Mutex;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);
    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_has_upstreams_keys_and_the_spans_fields() {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let clock = Clock::starting_at("2026-01-02T03:04:05Z".parse().unwrap());
        let layer = JsonLayer::new(move || writer.clone(), clock);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let _span =
                tracing::info_span!("reconcile", controllerKind = "HelmRelease", name = "a", namespace = "b").entered();
            tracing::error!(error = "it broke", "reconciliation failed");
        });
        let line: Value = serde_json::from_slice(&buffer.0.lock()).unwrap();
        assert_eq!(
            line,
            serde_json::json!({
                "ts": "2026-01-02T03:04:05.000Z", "level": "error", "msg": "reconciliation failed", "error": "it broke",
                "controllerKind": "HelmRelease", "name": "a", "namespace": "b", "logger": "runtime::logs::tests",
            })
        );
    }
}
