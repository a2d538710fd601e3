//! Whether invitations would be left behind.
//!
//! Owns what somebody who uninstalls must know. Must never change anything.

use super::{CheckError, refused};
use crate::api::ProjectInvitation;
use crate::runtime::cli::OnInvitations;
use crate::runtime::settings::{Watched, watched};
use kube::api::{Api, ListParams, PartialObjectMeta};
use kube::{Client, ResourceExt};
use std::collections::BTreeMap;

const PAGE: u32 = 500;

/// Prints what would be left behind.
///
/// # Errors
/// When there is something, and that is to fail.
pub(super) async fn check(client: &Client, namespaces: &str, on_invitations: OnInvitations) -> Result<(), CheckError> {
    let scopes = match watched(namespaces)? {
        Watched::Everywhere => vec![Api::all(client.clone())],
        Watched::Only(names) => names.iter().map(|name| Api::namespaced(client.clone(), name)).collect(),
    };
    let mut counts = BTreeMap::new();
    for scope in scopes {
        count(&scope, &mut counts).await?;
    }
    if counts.is_empty() {
        println!("ok: there are no invitations");
        return Ok(());
    }
    let warning = warning(&counts);
    match on_invitations {
        OnInvitations::Refuse => Err(CheckError::LeftBehind(warning)),
        OnInvitations::Warn => {
            println!("warning: {warning}");
            Ok(())
        }
    }
}

async fn count(scope: &Api<ProjectInvitation>, counts: &mut BTreeMap<String, usize>) -> Result<(), CheckError> {
    let mut params = ListParams::default().limit(PAGE);
    loop {
        let page = match scope.list_metadata(&params).await {
            Ok(page) => page,
            // Without the kind there are no objects of it.
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(()),
            Err(error) => return Err(refused("list invitations")(error)),
        };
        for object in &page.items {
            let object: &PartialObjectMeta<ProjectInvitation> = object;
            *counts.entry(object.namespace().unwrap_or_default()).or_default() += 1;
        }
        match page.metadata.continue_ {
            Some(next) if !next.is_empty() => params = params.continue_token(&next),
            Some(_) | None => return Ok(()),
        }
    }
}

fn warning(counts: &BTreeMap<String, usize>) -> String {
    let total: usize = counts.values().sum();
    let places: Vec<_> = counts.iter().map(|(namespace, count)| format!("{namespace}: {count}")).collect();
    let (are, they) = if total == 1 { ("invitation is", "it") } else { ("invitations are", "them") };
    format!(
        "{total} {are} still there ({}). Without the operator nobody cancels {they}, and deleting {they} waits until an \
         operator is back. To be rid of {they} first: kubectl delete projectinvitations --all --namespace NAMESPACE",
        places.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::warning;

    #[test]
    fn what_is_left_behind_is_counted_by_namespace() {
        let one = warning(&[("payments".to_owned(), 1)].into());
        assert!(one.starts_with("1 invitation is still there (payments: 1). Without the operator nobody cancels it,"));
        let more = warning(&[("payments".to_owned(), 2), ("shop".to_owned(), 1)].into());
        assert!(more.starts_with("3 invitations are still there (payments: 2, shop: 1)."), "{more}");
    }
}
