//! The definitions as templates of the chart.
//!
//! Owns what a release adds to them. They are templates, not files of `crds/` in the chart, because Helm installs those
//! once and never upgrades them. Must never change what a definition says.

use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::path::Path;

/// Where the release's labels and annotations go.
const NAME_LINE: &str = "metadata:\n  name: ";
const METADATA: &str = "\
  {{- $annotations := .Values.crds.annotations }}
  {{- if .Values.crds.keep }}
  {{- $annotations = merge (dict \"helm.sh/resource-policy\" \"keep\") $annotations }}
  {{- end }}
  {{- include \"io.metadata\" (dict \"root\" . \"annotations\" $annotations) | nindent 2 }}
";

/// A template per definition in the folder.
///
/// # Errors
/// When a definition cannot be read or would not survive being a template.
pub fn templates(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut templates = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).context("a file without a name")?.to_owned();
        let text = std::fs::read_to_string(&path)?;
        templates.insert(name.clone(), template(&text).with_context(|| name)?);
    }
    Ok(templates)
}

fn template(definition: &str) -> Result<String> {
    ensure!(!definition.contains("{{"), "it holds what a template would take for its own");
    let (before, rest) = definition.split_once(NAME_LINE).context("its metadata do not begin with its name")?;
    let (name, after) = rest.split_once('\n').context("it ends with its name")?;
    Ok(format!("{{{{- if .Values.crds.enabled }}}}\n{before}{NAME_LINE}{name}\n{METADATA}{after}{{{{- end }}}}\n"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::template;

    #[test]
    fn a_definition_keeps_its_text_and_gets_the_marks_of_the_release() {
        let made = template("kind: X\nmetadata:\n  name: a.b\nspec:\n  a: 1\n").unwrap();
        assert!(
            made.starts_with("{{- if .Values.crds.enabled }}\nkind: X\nmetadata:\n  name: a.b\n{{- $ann"),
            "{made}"
        );
        assert!(made.ends_with("nindent 2 }}\nspec:\n  a: 1\n{{- end }}\n"), "{made}");
    }

    #[test]
    fn what_a_template_would_read_is_refused() {
        assert!(template("metadata:\n  name: a\nx: '{{ y }}'\n").is_err());
    }
}
