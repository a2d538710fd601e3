//! Members of a project on the wire: a page of Atlas's users, or of Cloud Manager's and Ops Manager's.
//!
//! Owns who of a page counts as a member. Must never count somebody who is only invited, and never drop an entry that it
//! cannot read: then nothing may be concluded from the page.

use super::invitation::object;
use super::{Link, Unreadable};
use crate::api::Product;
use crate::domain::remote::{Member, ObjectId, Roles, Username};
use serde::Deserialize;

/// One page, read.
pub(in crate::cloud) struct Page {
    /// Each entry's key and, where the entry is a member, the member.
    pub(in crate::cloud) entries: Vec<(String, Option<Member>)>,
    /// How many entries all pages have.
    pub(in crate::cloud) total: Option<u64>,
    /// What the links say about a next page; `None` where there are none.
    pub(in crate::cloud) has_next: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageAnswer<E> {
    results: Option<Vec<E>>,
    total_count: Option<u64>,
    links: Option<Vec<Link>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AtlasUser {
    id: Option<String>,
    username: Option<String>,
    org_membership_status: Option<String>,
    roles: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ManagerUser {
    id: Option<String>,
    username: Option<String>,
    email_address: Option<String>,
    roles: Option<Vec<ManagerRole>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ManagerRole {
    group_id: Option<String>,
    role_name: Option<String>,
}

/// Reads one page of a project's members in the form of the product.
pub(in crate::cloud) fn read_page(product: Product, project: &ObjectId, body: &[u8]) -> Result<Page, Unreadable> {
    match product {
        Product::Atlas => page(object::<PageAnswer<AtlasUser>>(body)?, AtlasUser::into_entry),
        Product::CloudManager | Product::OpsManager => {
            page(object::<PageAnswer<ManagerUser>>(body)?, |user| user.into_entry(project))
        }
    }
}

fn page<E>(
    answer: PageAnswer<E>,
    read: impl Fn(E) -> Result<(String, Option<Member>), Unreadable>,
) -> Result<Page, Unreadable> {
    let results = answer.results.ok_or(Unreadable("the answer is no list of members"))?;
    Ok(Page {
        entries: results.into_iter().map(read).collect::<Result<_, _>>()?,
        total: answer.total_count,
        has_next: answer.links.filter(|links| !links.is_empty()).map(|links| links.iter().any(Link::is_next)),
    })
}

impl AtlasUser {
    /// Only `ACTIVE` people are members; the other states, and any that are still to come, are kinds of not being one.
    fn into_entry(self) -> Result<(String, Option<Member>), Unreadable> {
        let name = named(self.username).ok_or(Unreadable("a member has no username"))?;
        let status = self.org_membership_status.ok_or(Unreadable("a member has no orgMembershipStatus"))?;
        let key = self.id.clone().unwrap_or_else(|| name.to_ascii_lowercase());
        let member = (status == "ACTIVE").then(|| Member {
            user_id: self.id,
            username: Username::new(&name),
            email_address: None,
            roles: self.roles.unwrap_or_default().into_iter().collect(),
        });
        Ok((key, member))
    }
}

impl ManagerUser {
    /// Everybody listed is a member; the roles are those in this project.
    fn into_entry(self, project: &ObjectId) -> Result<(String, Option<Member>), Unreadable> {
        let email = named(self.email_address);
        let name = named(self.username)
            .or_else(|| email.clone())
            .ok_or(Unreadable("a member has neither username nor emailAddress"))?;
        let key = self.id.clone().unwrap_or_else(|| name.to_ascii_lowercase());
        let roles: Roles = self
            .roles
            .unwrap_or_default()
            .into_iter()
            .filter(|role| role.group_id.as_deref() == Some(project.as_str()))
            .filter_map(|role| role.role_name)
            .collect();
        let member = Member {
            user_id: self.id,
            username: Username::new(&name),
            email_address: email.as_deref().map(Username::new),
            roles,
        };
        Ok((key, Some(member)))
    }
}

fn named(name: Option<String>) -> Option<String> {
    name.filter(|name| !name.trim().is_empty())
}
