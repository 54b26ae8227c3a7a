//! Fields that are understood but not done yet: a release that asks for them is refused, never half obeyed.

use common::helm::v2::{HelmReleaseSpec, ServerSideApplyMode, WaitStrategyName};

/// Says which field of the spec is not supported yet, and what to do.
pub fn unsupported(spec: &HelmReleaseSpec) -> Option<String> {
    let refuse = |field: &str, advice: &str| Some(format!("spec.{field} is not supported yet: {advice}"));
    if !spec.health_check_exprs.is_empty() {
        return refuse("healthCheckExprs", "remove it; readiness is judged by kstatus");
    }
    if spec
        .depends_on
        .iter()
        .any(|dependency| dependency.ready_expr.as_ref().is_some_and(|expression| !expression.is_empty()))
    {
        return refuse("dependsOn[].readyExpr", "remove it; a dependency counts as ready by its Ready condition");
    }
    if spec.kube_config.as_ref().is_some_and(|reference| reference.config_map_ref.is_some()) {
        return refuse("kubeConfig.configMapRef", "use kubeConfig.secretRef");
    }
    if spec.wait_strategy.as_ref().is_some_and(|strategy| strategy.name == WaitStrategyName::Legacy) {
        return refuse("waitStrategy.name: legacy", "use poller, or remove the field");
    }
    if spec.install.as_ref().is_some_and(|install| install.server_side_apply == Some(false)) {
        return refuse("install.serverSideApply: false", "objects are always applied on the server; remove the field");
    }
    if spec.upgrade.as_ref().is_some_and(|upgrade| upgrade.server_side_apply == Some(ServerSideApplyMode::Disabled)) {
        return refuse(
            "upgrade.serverSideApply: disabled",
            "objects are always applied on the server; remove the field",
        );
    }
    if spec.rollback.as_ref().is_some_and(|rollback| rollback.server_side_apply == Some(ServerSideApplyMode::Disabled))
    {
        return refuse(
            "rollback.serverSideApply: disabled",
            "objects are always applied on the server; remove the field",
        );
    }
    // Helm itself refuses to replace what is applied on the server, which is the only way here.
    if spec.upgrade.as_ref().is_some_and(|upgrade| upgrade.force) {
        return refuse("upgrade.force", "objects are applied on the server, not replaced; remove the field");
    }
    if spec.rollback.as_ref().is_some_and(|rollback| rollback.force) {
        return refuse("rollback.force", "objects are applied on the server, not replaced; remove the field");
    }
    if let Some(chart_ref) = &spec.chart_ref
        && chart_ref.kind != common::helm::v2::SourceReferenceKind::HelmChart
    {
        return refuse("chartRef.kind", "only HelmChart is; use spec.chart or a HelmChart");
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_built_is_refused_by_name() {
        let base = json!({"interval": "1m", "chartRef": {"kind": "HelmChart", "name": "x"}});
        for (change, field) in [
            (json!({}), None),
            (json!({"postRenderers": [{"kustomize": {}}], "postRenderStrategy": "nohooks"}), None),
            (json!({"healthCheckExprs": [{"apiVersion": "v1", "current": "true"}]}), Some("spec.healthCheckExprs")),
            (json!({"dependsOn": [{"name": "a", "readyExpr": "true"}]}), Some("readyExpr")),
            (json!({"kubeConfig": {"configMapRef": {"name": "a"}}}), Some("configMapRef")),
            (json!({"waitStrategy": {"name": "legacy"}}), Some("legacy")),
            (json!({"install": {"serverSideApply": false}}), Some("install.serverSideApply")),
            (json!({"upgrade": {"serverSideApply": "disabled"}}), Some("upgrade.serverSideApply")),
            (json!({"upgrade": {"force": true}}), Some("upgrade.force")),
            (json!({"upgrade": {"force": false}, "rollback": {"force": false}}), None),
            (json!({"rollback": {"force": true}}), Some("rollback.force")),
            (json!({"chartRef": {"kind": "OCIRepository", "name": "a"}}), Some("chartRef.kind")),
        ] {
            let mut spec = base.clone();
            json_patch::merge(&mut spec, &change);
            let refusal = unsupported(&serde_json::from_value(spec).unwrap());
            match field {
                None => assert_eq!(refusal, None),
                Some(field) => {
                    assert!(refusal.as_ref().is_some_and(|text| text.contains(field)), "{field}: {refusal:?}");
                }
            }
        }
    }
}
