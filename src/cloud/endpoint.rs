//! The calls that the operator makes, and the addresses and media types they have in each product.
//!
//! Owns paths, queries and versions. Must never build an address from anything a server said, nor float a version: Atlas
//! answers each dated media type in its own shape.

use crate::api::Product;
use crate::domain::remote::{ObjectId, Username};
use http::Method;
use url::Url;

/// Entries asked for per page of members: the most that the APIs give.
const ITEMS_PER_PAGE: &str = "500";

/// The calls, as a closed set: a label for metrics and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// The read that needs no project.
    Probe,
    /// The pending invitations of a project.
    ListInvitations,
    /// One pending invitation.
    GetInvitation,
    /// Send one invitation: the only call that e-mails.
    CreateInvitation,
    /// Replace the roles of a pending invitation.
    UpdateInvitation,
    /// Cancel a pending invitation.
    CancelInvitation,
    /// The members of a project.
    ListMembers,
    /// A token of a service account.
    Token,
}

impl Endpoint {
    /// Every call.
    pub const ALL: [Self; 8] = [
        Self::Probe,
        Self::ListInvitations,
        Self::GetInvitation,
        Self::CreateInvitation,
        Self::UpdateInvitation,
        Self::CancelInvitation,
        Self::ListMembers,
        Self::Token,
    ];

    /// A closed label for metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Probe => "probe",
            Self::ListInvitations => "list_invitations",
            Self::GetInvitation => "get_invitation",
            Self::CreateInvitation => "create_invitation",
            Self::UpdateInvitation => "update_invitation",
            Self::CancelInvitation => "cancel_invitation",
            Self::ListMembers => "list_members",
            Self::Token => "token",
        }
    }

    /// The HTTP method of the request that acts.
    #[must_use]
    pub fn method(self) -> Method {
        match self {
            Self::Probe | Self::ListInvitations | Self::GetInvitation | Self::ListMembers => Method::GET,
            Self::CreateInvitation | Self::Token => Method::POST,
            Self::UpdateInvitation => Method::PATCH,
            Self::CancelInvitation => Method::DELETE,
        }
    }

    /// Whether the path names one invitation: only such a call may conclude that an invitation is gone.
    pub(super) fn names_an_invitation(self) -> bool {
        match self {
            Self::GetInvitation | Self::UpdateInvitation | Self::CancelInvitation => true,
            Self::Probe | Self::ListInvitations | Self::CreateInvitation | Self::ListMembers | Self::Token => false,
        }
    }

    /// Whether the path is one of those that Ops Manager has since 5.0.
    pub(super) fn is_of_invitations(self) -> bool {
        match self {
            Self::ListInvitations
            | Self::GetInvitation
            | Self::CreateInvitation
            | Self::UpdateInvitation
            | Self::CancelInvitation => true,
            Self::Probe | Self::ListMembers | Self::Token => false,
        }
    }
}

/// The addresses of one product at one base URL.
#[derive(Clone, Debug)]
pub(super) struct Routes {
    product: Product,
    base: Url,
}

impl Routes {
    /// Routes below a base URL that has been checked.
    pub(super) fn new(product: Product, base: Url) -> Self {
        Self { product, base }
    }

    pub(super) fn product(&self) -> Product {
        self.product
    }

    /// The media type that requests and answers of a call have.
    pub(super) fn media_type(&self, endpoint: Endpoint) -> &'static str {
        match (self.product, endpoint) {
            (_, Endpoint::Token) | (Product::CloudManager | Product::OpsManager, _) => "application/json",
            (Product::Atlas, Endpoint::ListMembers) => "application/vnd.atlas.2025-02-19+json",
            (
                Product::Atlas,
                Endpoint::Probe
                | Endpoint::ListInvitations
                | Endpoint::GetInvitation
                | Endpoint::CreateInvitation
                | Endpoint::UpdateInvitation
                | Endpoint::CancelInvitation,
            ) => "application/vnd.atlas.2023-01-01+json",
        }
    }

    pub(super) fn root(&self) -> Url {
        self.below(self.prefix())
    }

    pub(super) fn token(&self) -> Url {
        self.below("/api/oauth/token")
    }

    pub(super) fn invites(&self, project: &ObjectId) -> Url {
        self.below(&format!("{}/groups/{project}/invites", self.prefix()))
    }

    pub(super) fn invites_of(&self, project: &ObjectId, username: &Username) -> Url {
        let mut url = self.invites(project);
        url.query_pairs_mut().append_pair("username", username.as_written());
        url
    }

    pub(super) fn invite(&self, project: &ObjectId, id: &ObjectId) -> Url {
        self.below(&format!("{}/groups/{project}/invites/{id}", self.prefix()))
    }

    pub(super) fn members(&self, project: &ObjectId, page: u32) -> Url {
        let mut url = self.below(&format!("{}/groups/{project}/users", self.prefix()));
        url.query_pairs_mut()
            .append_pair("itemsPerPage", ITEMS_PER_PAGE)
            .append_pair("pageNum", &page.to_string())
            .append_pair("includeCount", "true");
        url
    }

    fn prefix(&self) -> &'static str {
        match self.product {
            Product::Atlas => "/api/atlas/v2",
            Product::CloudManager | Product::OpsManager => "/api/public/v1.0",
        }
    }

    fn below(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url
    }
}

/// What a digest covers: path and query, exactly as they go over the wire.
pub(super) fn request_target(url: &Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}
