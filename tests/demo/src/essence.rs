//! The lines of a manifest that a reader needs to see.
//!
//! Must never show a Secret.

/// The kind, the name and the spec of one document, without comments.
pub(crate) fn of(manifests: &str, kind: &str) -> String {
    let document =
        manifests.split("\n---\n").find(|document| document.lines().any(|line| line == format!("kind: {kind}")));
    let mut shown = Vec::new();
    for line in document.unwrap_or_default().lines() {
        let trimmed = line.trim_start();
        let noise =
            trimmed.is_empty() || trimmed == "---" || trimmed.starts_with('#') || line.starts_with("apiVersion:");
        if !noise && kind != "Secret" {
            shown.push(line);
        }
    }
    shown.join("\n")
}

#[cfg(test)]
mod tests {
    use super::of;

    const TWO: &str = "# why\napiVersion: v1\nkind: Secret\ndata:\n  key: hidden\n---\n# who\napiVersion: v1\nkind: Inviter\nspec:\n  # how\n  product: Atlas\n";

    #[test]
    fn comments_and_versions_are_left_out() {
        assert_eq!(of(TWO, "Inviter"), "kind: Inviter\nspec:\n  product: Atlas");
    }

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(of(TWO, "Secret"), "");
    }
}
