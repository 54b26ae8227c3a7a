//! The way in: options, one build, and what it reports besides its output.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use crate::{
    accumulate::{Accumulator, Target, var_values},
    advice,
    error::{Context, Error},
    explain::{self, ExplainedResource, Setter},
    fs::FileSystem,
    kustomization::Warnings,
    loader::{LoadRestriction, Loader, NoRemote, Remote},
    node::Node,
    notes,
    order::Order,
    res_map::ResMap,
    resource::{Origin, Resource},
    schema::Schema,
    text,
    trace::Ledger,
    transform::{hash, name_reference, var},
};

/// The version whose output is matched, as `managedByLabel` names it.
const VERSION: &str = "v5.8.1";

/// How the output is ordered when the root kustomization does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reorder {
    /// As read (the library's and Flux's default).
    #[default]
    None,
    /// By kind (the command's default).
    Legacy,
}

/// What a build is called with.
#[derive(Clone)]
pub struct Options {
    /// Files outside a kustomization's directory.
    pub load_restriction: LoadRestriction,
    /// The order when the kustomization has no `sortOptions`.
    pub reorder: Reorder,
    /// Render `helmCharts`.
    pub enable_helm: bool,
    /// Kubernetes version for charts whose entry does not say.
    pub helm_kube_version: Option<String>,
    /// API versions for charts whose entry does not say.
    pub helm_api_versions: Vec<String>,
    /// Add `app.kubernetes.io/managed-by`.
    pub managed_by_label: bool,
    /// Gets remote things.
    pub remote: Arc<dyn Remote>,
    /// Parsed files of earlier builds.
    pub cache: Option<Cache>,
    /// Keep track of who set each field, for [`Built::explained`].
    pub explain: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            load_restriction: LoadRestriction::RootOnly,
            reorder: Reorder::None,
            enable_helm: false,
            helm_kube_version: None,
            helm_api_versions: Vec::new(),
            managed_by_label: false,
            remote: Arc::new(NoRemote),
            cache: None,
            explain: false,
        }
    }
}

/// Parsed resource files by the digest of their content, shared between builds.
#[derive(Clone, Debug)]
pub struct Cache {
    entries: Arc<Mutex<CacheEntries>>,
}

#[derive(Debug, Default)]
struct CacheEntries {
    parsed: HashMap<[u8; 32], (Arc<Vec<Node>>, usize)>,
    bytes: usize,
    limit: usize,
    parsed_files: usize,
}

impl Cache {
    /// A cache for files of at most `limit` bytes together.
    pub fn new(limit: usize) -> Self {
        Self { entries: Arc::new(Mutex::new(CacheEntries { limit, ..CacheEntries::default() })) }
    }

    /// How many files had to be parsed so far, because they had not been met before.
    pub fn parsed_files(&self) -> usize {
        self.entries.lock().parsed_files
    }

    fn get(&self, digest: &[u8; 32]) -> Option<Arc<Vec<Node>>> {
        self.entries.lock().parsed.get(digest).map(|(nodes, _)| Arc::clone(nodes))
    }

    fn put(&self, digest: [u8; 32], nodes: Arc<Vec<Node>>, size: usize) {
        let mut entries = self.entries.lock();
        entries.parsed_files += 1;
        if size > entries.limit {
            return;
        }
        if entries.bytes + size > entries.limit {
            // Builds come round again within seconds; starting over is simpler than ageing and as good.
            entries.parsed.clear();
            entries.bytes = 0;
        }
        entries.bytes += size;
        entries.parsed.insert(digest, (nodes, size));
    }
}

/// What one build shares between its kustomizations.
pub(crate) struct Session {
    options: Options,
    root: String,
    warnings: Mutex<Vec<String>>,
    build_metadata: Mutex<Option<Vec<String>>>,
    schema: Mutex<SchemaInForce>,
    advice: Mutex<Vec<String>>,
    ledger: Option<Ledger>,
}

/// The schema that merging goes by: the first one that a kustomization brings, or the built-in one.
#[derive(Default)]
struct SchemaInForce {
    custom: Option<Arc<Schema>>,
    builtin: Arc<Schema>,
    /// The built-in schema was needed already; one that comes later then adds to it, as upstream.
    builtin_used: bool,
}

impl Session {
    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn warn(&self, warnings: Warnings) {
        self.warnings.lock().extend(warnings.0);
    }

    /// Notes something that is no mistake but has no effect.
    pub(crate) fn advise(&self, advice: String) {
        self.advice.lock().push(advice);
    }

    /// The number of somebody who sets something, when the build is to be explained.
    pub(crate) fn number(&self, setter: Setter) -> Option<usize> {
        self.ledger.as_ref().map(|ledger| ledger.number(setter))
    }

    /// Notes, when the build is to be explained, who has made a resource what it is.
    pub(crate) fn set_by(&self, resource: &mut Resource, setter: impl FnOnce() -> Setter) {
        if let Some(ledger) = &self.ledger {
            resource.set_by(ledger.number(setter()));
        }
    }

    /// The same of a step that has visited all resources.
    pub(crate) fn all_set_by(&self, resources: &mut ResMap, setter: impl FnOnce() -> Setter) {
        let Some(ledger) = &self.ledger else { return };
        let number = ledger.number(setter());
        resources.iter_mut().for_each(|resource| resource.set_by(number));
    }

    /// Notes where a resource comes from.
    pub(crate) fn comes_from(&self, resource: &mut Resource, origin: &Arc<Origin>) {
        resource.origin = Some(Arc::clone(origin));
        if self.keeps_notes() {
            resource.track();
        }
    }

    /// The root's `buildMetadata`, which its bases and components take over.
    pub(crate) fn build_metadata(&self) -> Option<Vec<String>> {
        self.build_metadata.lock().clone()
    }

    pub(crate) fn set_build_metadata(&self, metadata: Vec<String>) {
        *self.build_metadata.lock() = Some(metadata);
    }

    /// The schema in force now.
    pub(crate) fn schema(&self) -> Arc<Schema> {
        let mut state = self.schema.lock();
        if let Some(custom) = &state.custom {
            return Arc::clone(custom);
        }
        state.builtin_used = true;
        Arc::clone(&state.builtin)
    }

    /// Takes in the schema that a kustomization brings; the first one stays.
    pub(crate) fn bring_schema(&self, document: &serde_json::Value) {
        let mut state = self.schema.lock();
        if state.custom.is_none() {
            state.custom = Some(Arc::new(Schema::from_openapi(document, state.builtin_used)));
        }
    }

    /// Notes a kind that was read: telling where an unknown one lives takes the schema.
    pub(crate) fn saw_kind(&self, gvk: &crate::id::Gvk) {
        if !crate::schema::is_scope_known(gvk) {
            self.schema.lock().builtin_used = true;
        }
    }

    /// Whether the build keeps notes on where resources come from and what changes them: with any `buildMetadata` it does,
    /// whatever of it is shown in the end.
    pub(crate) fn keeps_notes(&self) -> bool {
        self.build_metadata.lock().as_ref().is_some_and(|entries| !entries.is_empty())
    }

    /// The directory of the build, to which origins are relative.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// Notes how many resources a patch with a target changed.
    pub(crate) fn patched(&self, source: &str, count: usize) {
        if count == 0 {
            self.warnings.lock().push(format!("# Warning: no resource matches the target of patch [{source}]"));
        }
    }

    /// The documents of a file, from the cache where it has them.
    pub(crate) fn documents(&self, bytes: &[u8], path: &str) -> Result<Vec<Node>, Error> {
        let Some(cache) = &self.options.cache else { return text::parse_documents(bytes, path) };
        let digest: [u8; 32] = Sha256::digest(bytes).into();
        if let Some(nodes) = cache.get(&digest) {
            return Ok(nodes.as_ref().clone());
        }
        let nodes = text::parse_documents(bytes, path)?;
        cache.put(digest, Arc::new(nodes.clone()), bytes.len());
        Ok(nodes)
    }
}

/// A finished build.
#[derive(Debug)]
pub struct Built {
    resources: ResMap,
    /// The root's kustomization file.
    path: String,
    /// For people, on standard error.
    pub warnings: Vec<String>,
    /// What the kustomizations ask for and has no effect: patches that change nothing, overrides that match nothing.
    pub advice: Vec<String>,
    /// Every file that was read.
    pub files: BTreeSet<String>,
    setters: Vec<Setter>,
}

impl Built {
    /// The resources in order.
    pub fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.resources.iter()
    }

    /// Each field of each resource with who set it; empty unless [`Options::explain`] was set.
    pub fn explained(&self) -> Vec<ExplainedResource> {
        let fields = |resource: &Resource| {
            let trace = resource.trace.as_ref()?;
            let fields = explain::fields(resource.node(), trace.marks(), &self.setters);
            Some(ExplainedResource { id: resource.id().clone(), fields })
        };
        self.resources.iter().filter_map(fields).collect()
    }

    /// What `kustomize build` prints.
    pub fn to_yaml(&self) -> Result<String, Error> {
        let mut out = String::new();
        for (at, resource) in self.resources.iter().enumerate() {
            if at > 0 {
                out.push_str("---\n");
            }
            out.push_str(&resource.to_yaml().context(|| self.path.clone())?);
        }
        Ok(out)
    }
}

/// Builds the kustomization in `root`.
pub fn build(fs: Arc<dyn FileSystem>, root: &str, options: Options) -> Result<Built, Error> {
    let loader = Loader::new(fs, root, options.load_restriction, Arc::clone(&options.remote))?;
    let session = Session {
        root: loader.root().to_owned(),
        advice: Mutex::default(),
        ledger: options.explain.then(Ledger::default),
        options,
        warnings: Mutex::default(),
        build_metadata: Mutex::default(),
        schema: Mutex::default(),
    };
    let target = Target::load(&session, loader.clone(), String::new())?;
    let order = order(&target, &session.options)?;
    let path = target.path.clone();
    let root = target.setter("", "");
    let mut all = target.accumulate()?;
    finish(&session, &mut all, &root).context(|| path.clone())?;
    let metadata = session.build_metadata().unwrap_or_default();
    order.apply(&mut all.resources);
    let has = |name: &str| metadata.iter().any(|entry| entry == name);
    annotate(&mut all.resources, has("originAnnotations"), has("transformerAnnotations"));
    if session.options.managed_by_label || has("managedByLabel") {
        for resource in all.resources.iter_mut() {
            if let Some(labels) = resource.node_mut().map_at_mut(&["metadata", "labels"]) {
                crate::transform::metadata::set_string(
                    labels,
                    "app.kubernetes.io/managed-by",
                    &format!("kustomize-{VERSION}"),
                );
            }
        }
    }
    session.all_set_by(&mut all.resources, || Setter { transformer: "buildMetadata".into(), ..root });
    Ok(Built {
        resources: all.resources,
        path,
        warnings: session.warnings.into_inner(),
        advice: session.advice.into_inner(),
        files: loader.files_read(),
        setters: session.ledger.map(Ledger::into_setters).unwrap_or_default(),
    })
}

fn order(target: &Target<'_>, options: &Options) -> Result<Order, Error> {
    let flag = || match options.reorder {
        Reorder::None => Order::Fifo,
        Reorder::Legacy => Order::legacy(),
    };
    match &target.kustomization.sort_options {
        Some(sort) => Order::from_options(sort).context(|| format!("{}: sortOptions", target.path)),
        None => Ok(flag()),
    }
}

/// What happens once, when everything is together.
fn finish(session: &Session, all: &mut Accumulator, root: &Setter) -> Result<(), Error> {
    let by = |transformer: &str| Setter { transformer: transformer.to_owned(), ..root.clone() };
    hash::apply(&mut all.resources)?;
    session.all_set_by(&mut all.resources, || by("HashTransformer"));
    name_reference::apply(&mut all.resources, &all.config)?;
    session.all_set_by(&mut all.resources, || by("NameReferenceTransformer"));
    let values = var_values(all)?;
    var::apply(&mut all.resources, &values, &all.config.var_references)?;
    session.all_set_by(&mut all.resources, || by("RefVarTransformer"));
    advice::unused_generators(session, &all.resources);
    all.resources.retain(|resource| !resource.is_local());
    all.resources.check_distinct()?;
    all.resources.iter_mut().try_for_each(Resource::finish)
}

fn annotate(resources: &mut ResMap, origins: bool, transformations: bool) {
    for resource in resources.iter_mut() {
        if let Some(origin) = resource.origin.clone().filter(|_| origins) {
            resource.annotate(notes::ORIGIN, &notes::origin_text(&origin, ""));
        }
        if transformations && !resource.transformations.is_empty() {
            let text = notes::transformations_text(resource);
            resource.annotate(notes::TRANSFORMATIONS, &text);
        }
    }
}
