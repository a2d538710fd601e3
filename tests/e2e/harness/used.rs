//! What the operators of a run under the chart's rights did, for the comparison with what the chart grants.
//!
//! Writes a file into the folder that `E2E_USED` names. Must never leave a request out but those that Kubernetes allows to
//! everybody who has a name: discovery, and questions about one's own rights.

use super::plane::{Plane, started};
use super::under::Under;
use packaging::rights::{Place, Right};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// Writes what was done, and what was refused, when somebody asked for it.
pub fn write() {
    let (Ok(folder), planes) = (std::env::var("E2E_USED"), started()) else { return };
    if Under::of_this_run() == Under::Administrator || planes.is_empty() {
        return;
    }
    let read = |plane: &Plane| std::fs::read_to_string(plane.control.audit_log().unwrap()).unwrap();
    let log: String = planes.into_iter().map(read).collect();
    let mut used = BTreeSet::new();
    let mut refused = BTreeSet::new();
    for line in log.lines().filter(|line| line.contains(":invitation-operator\"")) {
        let event: Value = serde_json::from_str(line).unwrap();
        let Some(right) = right(&event) else { continue };
        if event["responseStatus"]["code"] == 403 && event["annotations"]["authorization.k8s.io/decision"] == "forbid" {
            refused.insert(right);
        } else {
            used.insert(right);
        }
    }
    let program = std::env::current_exe().unwrap();
    let name = program.file_stem().unwrap().to_string_lossy().split('-').next().unwrap().to_owned();
    let mode = if is_everywhere(&name) { "everywhere" } else { "within" };
    std::fs::create_dir_all(&folder).unwrap();
    let text = serde_json::json!({ "used": used, "refused": refused }).to_string();
    std::fs::write(Path::new(&folder).join(format!("{mode}-{name}.json")), text).unwrap();
}

/// Whether the operators of this run served the whole cluster.
fn is_everywhere(program: &str) -> bool {
    Under::of_this_run() == Under::ChartEverywhere || program == "e2e_cluster"
}

fn right(event: &Value) -> Option<Right> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let user = text(&event["user"]["username"]);
    let own = user.strip_prefix("system:serviceaccount:")?.strip_suffix(":invitation-operator")?;
    let object = event.get("objectRef")?;
    let mut resource = text(&object["resource"]);
    if resource == "selfsubjectaccessreviews" {
        return None;
    }
    if let Some(part) = object["subresource"].as_str() {
        resource = format!("{resource}/{part}");
    }
    let place = if object["namespace"] == own { Place::Own } else { Place::Beyond };
    Some(Right { group: text(&object["apiGroup"]), resource, verb: text(&event["verb"]), place }.settled())
}
