//! Logs with a level that can be changed while running, and traces over OTLP.

use std::sync::Arc;

use opentelemetry::{
    Context,
    propagation::{TextMapCompositePropagator, TextMapPropagator},
    trace::{TraceContextExt, TracerProvider},
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider},
};
use thiserror::Error;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    layer::SubscriberExt,
    reload,
    util::{SubscriberInitExt, TryInitError},
};

use crate::{
    clock::Clock,
    flags::{LogEncoding, TelemetryFlags},
    logs::JsonLayer,
};

/// Why telemetry could not be set up.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// The exporter refused its settings.
    #[error("setting up the OTLP exporter")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// Something has set a subscriber before.
    #[error("installing the log subscriber")]
    Install(#[from] TryInitError),
    /// Not a level or filter.
    #[error("log level {0:?} is not one of trace, debug, info, error")]
    Level(String),
}

/// Changes the log level of the running process.
#[derive(Clone, Debug)]
pub struct LevelHandle {
    handle: reload::Handle<EnvFilter, Registry>,
    current: Arc<parking_lot::Mutex<String>>,
}

impl LevelHandle {
    /// The level in force.
    pub fn current(&self) -> String {
        self.current.lock().clone()
    }

    /// Sets the level: `trace`, `debug`, `info`, `warn` or `error`.
    pub fn set(&self, level: &str) -> Result<(), TelemetryError> {
        let filter = filter(level)?;
        self.handle.reload(filter).map_err(|_| TelemetryError::Level(level.to_owned()))?;
        level.clone_into(&mut self.current.lock());
        Ok(())
    }
}

/// Flushes the exporter when dropped.
#[derive(Debug)]
pub struct Telemetry {
    /// The log level's handle.
    pub level: LevelHandle,
    provider: Option<SdkTracerProvider>,
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = self.provider.take() {
            // The process is ending; there is nobody left to tell.
            let _ = provider.shutdown();
        }
    }
}

/// The chosen level for our crates, warnings for libraries.
fn filter(level: &str) -> Result<EnvFilter, TelemetryError> {
    let bad = || TelemetryError::Level(level.to_owned());
    if !["trace", "debug", "info", "warn", "error"].contains(&level) {
        return Err(bad());
    }
    let libraries = match level {
        "trace" => "debug",
        "error" => "error",
        _ => "warn",
    };
    let quiet = [
        "kube",
        "hyper",
        "hyper_util",
        "tower",
        "h2",
        "tonic",
        "reqwest",
        "rustls",
        "russh",
        "opentelemetry",
        "opentelemetry_sdk",
        "opentelemetry_otlp",
    ];
    let directives: Vec<String> =
        std::iter::once(level.to_owned()).chain(quiet.iter().map(|name| format!("{name}={libraries}"))).collect();
    EnvFilter::try_new(directives.join(",")).map_err(|_| bad())
}

/// Installs logs and, when an endpoint is given, traces, for the whole process. Call inside the tokio runtime.
pub fn install(service: &str, flags: &TelemetryFlags) -> Result<Telemetry, TelemetryError> {
    let (filter, handle) = reload::Layer::new(filter(&flags.log_level)?);
    let logs: Box<dyn Layer<_> + Send + Sync> = match flags.log_encoding {
        LogEncoding::Json => Box::new(JsonLayer::new(std::io::stderr, Clock::System)),
        LogEncoding::Console => Box::new(tracing_subscriber::fmt::layer().with_writer(std::io::stderr)),
    };
    let provider = flags
        .otlp_endpoint
        .as_deref()
        .filter(|endpoint| !endpoint.is_empty())
        .map(|endpoint| provider(service, endpoint, flags.trace_sampling))
        .transpose()?;
    let traces = provider.as_ref().map(|provider| {
        tracing_opentelemetry::layer().with_tracer(provider.tracer("towline")).with_location(false).with_threads(false)
    });
    tracing_subscriber::registry().with(filter).with(logs).with(traces).try_init()?;
    opentelemetry::global::set_text_map_propagator(propagator());
    let current = Arc::new(parking_lot::Mutex::new(flags.log_level.clone()));
    Ok(Telemetry { level: LevelHandle { handle, current }, provider })
}

fn provider(service: &str, endpoint: &str, sampling: f64) -> Result<SdkTracerProvider, TelemetryError> {
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
    let resource = Resource::builder().with_service_name(service.to_owned()).build();
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource)
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(sampling))))
        .build())
}

fn propagator() -> TextMapCompositePropagator {
    TextMapCompositePropagator::new(vec![Box::new(TraceContextPropagator::new())])
}

/// The W3C `traceparent` of the present span, to be recorded where the next controller finds it.
pub fn current_traceparent() -> Option<String> {
    let context = Span::current().context();
    if !context.span().span_context().is_valid() {
        return None;
    }
    let mut carrier = std::collections::HashMap::new();
    propagator().inject_context(&context, &mut carrier);
    carrier.remove("traceparent")
}

/// Makes `span` a child of the span that a `traceparent` names; anything unreadable is passed over.
pub fn continue_trace(span: &Span, traceparent: &str) {
    let carrier = std::collections::HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    let context = propagator().extract_with_context(&Context::new(), &carrier);
    if context.span().span_context().is_valid() {
        // Without a trace layer there is nothing to continue.
        let _ = span.set_parent(context);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_checked() {
        assert!(filter("info").is_ok());
        assert!(matches!(filter("loud"), Err(TelemetryError::Level(level)) if level == "loud"));
    }
}
