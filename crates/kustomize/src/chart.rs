//! `helmCharts`: charts rendered in process and taken in as resources.

use std::sync::Arc;

use helm::{
    chart::{Chart, load_archive, load_directory},
    template::{TemplateOptions, template},
    values::{ValuesFile, ValuesOptions},
};
use serde_json::Value;

use crate::{
    accumulate::{Accumulator, Target, resources_from},
    error::{Context, Error},
    fs::clean,
    kustomization::HelmChart,
    loader::ChartRequest,
    res_map::ResMap,
    resource::Resource,
    text,
};

/// Where charts are, below the kustomization, when `helmGlobals` does not say.
const CHART_HOME: &str = "charts";

/// Renders the charts of a kustomization.
pub(crate) fn generate(target: &Target<'_>, all: &mut Accumulator) -> Result<(), Error> {
    for chart in &target.kustomization.helm_charts {
        if !target.session.options().enable_helm {
            return Err(Error::Refused(format!(
                "trouble configuring builtin HelmChartInflationGenerator with config: must specify --enable-helm (helmCharts entry '{}')",
                chart.name
            )));
        }
        let rendered = render(target, chart).context(|| format!("helmCharts entry '{}'", chart.name))?;
        let mut made = ResMap::default();
        let origin = Arc::new(target.builtin_origin("HelmChartInflationGenerator"));
        for node in resources_from(target.session, rendered.as_bytes(), &format!("chart '{}'", chart.name))? {
            let mut resource = Resource::new(node);
            target.session.saw_kind(&resource.id().gvk);
            resource.from_helm = true;
            target.session.comes_from(&mut resource, &origin);
            target.session.set_by(&mut resource, || target.setter("", "HelmChartInflationGenerator"));
            made.append(resource)?;
        }
        all.resources.absorb_all(made)?;
    }
    Ok(())
}

fn render(target: &Target<'_>, entry: &HelmChart) -> Result<String, Error> {
    if entry.name.is_empty() {
        return Err(Error::message("chart name cannot be empty"));
    }
    if !entry.name_template.is_empty() {
        return Err(Error::Refused("nameTemplate is not supported: use releaseName".into()));
    }
    let chart = load(target, entry)?;
    let namespace = [&entry.namespace, &target.namespace].into_iter().find(|namespace| !namespace.is_empty());
    let given = target.session.options();
    let options = TemplateOptions {
        values: ValuesOptions { files: values(target, entry, &chart)?, ..ValuesOptions::default() },
        release_name: if entry.release_name.is_empty() { "release-name" } else { &entry.release_name }.to_owned(),
        namespace: namespace.map_or("default", String::as_str).to_owned(),
        kube_version: Some(&entry.kube_version)
            .filter(|version| !version.is_empty())
            .or(given.helm_kube_version.as_ref())
            .cloned(),
        api_versions: if entry.api_versions.is_empty() { &given.helm_api_versions } else { &entry.api_versions }
            .clone(),
        include_crds: entry.include_crds,
        no_hooks: entry.skip_hooks,
        skip_tests: entry.skip_tests,
        ..TemplateOptions::default()
    };
    template(&chart, &options).map(|output| output.text).map_err(|error| Error::message(error.to_string()))
}

/// The chart: from the directory of charts, or else from its repository.
fn load(target: &Target<'_>, entry: &HelmChart) -> Result<Chart, Error> {
    let wrong = |error: helm::chart::ChartError| Error::message(error.to_string());
    let path = place(target, entry);
    if target.loader.is_directory(&path) {
        if entry.values_file.is_empty() {
            // As upstream, which loads the chart's own values like any other file; the rest is left to Helm.
            target.loader.allowed(&path)?;
        }
        return load_directory(target.loader.tree(&path)?).map_err(wrong);
    }
    if entry.repo.is_empty() {
        return Err(Error::message(format!(
            "no repo specified for pull, no chart found at '{path}': set repo, or put the chart there"
        )));
    }
    let request =
        ChartRequest { repository: &entry.repo, name: &entry.name, version: &entry.version, devel: entry.devel };
    let bytes = target.loader.remote().chart(&request)?;
    load_archive(&bytes).map_err(wrong)
}

/// Where the chart lies, or would lie once it is fetched.
fn place(target: &Target<'_>, entry: &HelmChart) -> String {
    let globals = target.kustomization.helm_globals.as_ref();
    let home = globals.map(|globals| globals.chart_home.as_str()).filter(|home| !home.is_empty()).unwrap_or(CHART_HOME);
    if entry.version.is_empty() || entry.repo.is_empty() {
        format!("{home}/{}", entry.name)
    } else {
        format!("{home}/{0}-{1}/{0}", entry.name, entry.version)
    }
}

/// A file of the kustomization, or one of the chart by the path it has below the directory of charts: Kustomize unpacks
/// fetched charts there, and kustomizations name files of theirs.
fn file(target: &Target<'_>, entry: &HelmChart, chart: &Chart, path: &str) -> Result<Vec<u8>, Error> {
    let read = target.loader.file(path);
    if read.is_ok() || entry.repo.is_empty() {
        return read;
    }
    let below = format!("{}/", clean(&place(target, entry)));
    let inside = clean(path).strip_prefix(&below).and_then(|path| chart.raw_file(path).map(|file| file.data.to_vec()));
    inside.map_or(read, Ok)
}

/// The values files in the order in which they win.
fn values(target: &Target<'_>, entry: &HelmChart, chart: &Chart) -> Result<Vec<ValuesFile>, Error> {
    let mut files = Vec::new();
    let inline = entry.values_inline.as_ref().filter(|values| values.as_object().is_some_and(|map| !map.is_empty()));
    let base = if entry.values_file.is_empty() {
        chart.raw_file("values.yaml").map(|file| file.data.to_vec()).unwrap_or_default()
    } else {
        file(target, entry, chart, &entry.values_file).context(|| "valuesFile".to_owned())?
    };
    let content = match inline {
        None => base,
        Some(inline) => {
            let parsed = text::yaml_to_json(&base)
                .map_err(|message| Error::Yaml { path: entry.values_file.clone(), message })?;
            let merged = match entry.values_merge.as_str() {
                "" | "override" => laid_over(parsed, inline),
                "merge" => laid_over(inline.clone(), &parsed),
                "replace" => inline.clone(),
                other => {
                    return Err(Error::message(format!(
                        "valuesMerge must be one of [merge override replace], not '{other}'"
                    )));
                }
            };
            merged.to_string().into_bytes()
        }
    };
    files.push(ValuesFile { name: "values.yaml".into(), content });
    for path in &entry.additional_values_files {
        let content = file(target, entry, chart, path).context(|| "additionalValuesFiles".to_owned())?;
        files.push(ValuesFile { name: path.clone(), content });
    }
    Ok(files)
}

/// Mappings united, everything else taken from `over`.
fn laid_over(base: Value, over: &Value) -> Value {
    match (base, over) {
        (Value::Object(mut base), Value::Object(over)) => {
            for (key, value) in over {
                let below = base.remove(key).unwrap_or(Value::Null);
                base.insert(key.clone(), laid_over(below, value));
            }
            Value::Object(base)
        }
        (_, over) => over.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_unite_by_key() {
        let base = json!({"a": {"x": 1, "y": 1}, "l": [1]});
        assert_eq!(laid_over(base, &json!({"a": {"y": 2}, "l": []})), json!({"a": {"x": 1, "y": 2}, "l": []}));
    }
}
