//! The chart's values with their comments.
//!
//! Owns the form of the comments: `# --` explains a value, `# @schema` gives its schema where its default does not say
//! enough. A map without an explanation is a section. Must never know what a value means.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

/// One value, or a section of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// From the top, such as `["image", "tag"]`.
    pub path: Vec<String>,
    /// What it is for; none for a section.
    pub explained: Option<String>,
    /// Its schema, as far as a comment gives it.
    pub schema: Map<String, Value>,
    /// Its default.
    pub default: Value,
}

impl Entry {
    /// Whether it holds other entries.
    #[must_use]
    pub fn is_section(&self) -> bool {
        self.explained.is_none()
    }
}

/// Comments not yet given to a key.
#[derive(Default)]
struct Pending {
    explained: Option<String>,
    schema: Map<String, Value>,
}

/// Reads `values.yaml`, in the order of the file.
///
/// # Errors
/// When it is no YAML, or a value is not explained.
pub fn read(text: &str) -> Result<Vec<Entry>> {
    let defaults: Value = serde_saphyr::from_str(text).context("values.yaml is no YAML")?;
    let mut entries: Vec<Entry> = Vec::new();
    let mut open: Vec<(usize, String)> = Vec::new();
    let mut pending = Pending::default();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let content = line.trim_start();
        if let Some(explained) = content.strip_prefix("# -- ") {
            pending.explained = Some(explained.to_owned());
        } else if let Some(schema) = content.strip_prefix("# @schema ") {
            pending.schema = serde_json::from_str(schema).with_context(|| format!("the schema in {line:?}"))?;
        } else if let Some(key) = key_of(content) {
            open.retain(|(level, _)| *level < indent);
            let path: Vec<String> = open.iter().map(|(_, key)| key.clone()).chain([key.to_owned()]).collect();
            open.push((indent, key.to_owned()));
            // What is below an explained value is part of its default.
            if entries.iter().any(|entry| !entry.is_section() && path.starts_with(&entry.path)) {
                continue;
            }
            let default = defaults.pointer(&format!("/{}", path.join("/"))).cloned();
            let default = default.with_context(|| format!("{} is not where it seems to be", path.join(".")))?;
            let Pending { explained, schema } = std::mem::take(&mut pending);
            if explained.is_none() && !default.is_object() {
                bail!("{} is not explained: write a comment that begins with `# --` above it", path.join("."));
            }
            entries.push(Entry { path, explained, schema, default });
        }
    }
    Ok(entries)
}

fn key_of(content: &str) -> Option<&str> {
    if content.starts_with(['#', '-']) {
        return None;
    }
    let (key, rest) = content.split_once(':')?;
    (rest.is_empty() || rest.starts_with(' ')).then_some(key)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_with_what_is_said_of_them() {
        let text = "# -- How many.\n# @schema {\"minimum\": 1}\nreplicas: 2\nimage:\n  # -- Which.\n  tag: a\n# -- Where.\nlabels:\n  os: linux\n";
        let entries = read(text).unwrap();
        let paths: Vec<_> = entries.iter().map(|entry| entry.path.join(".")).collect();
        assert_eq!(paths, ["replicas", "image", "image.tag", "labels"]);
        assert_eq!(entries[0].explained.as_deref(), Some("How many."));
        assert_eq!(entries[0].schema["minimum"], 1);
        assert!(entries[1].is_section());
        assert_eq!(entries[3].default, serde_json::json!({ "os": "linux" }));
    }

    #[test]
    fn a_value_that_nobody_explains_is_an_error() {
        let error = read("image:\n  tag: a\n").unwrap_err().to_string();
        assert!(error.contains("image.tag is not explained"), "{error}");
    }
}
