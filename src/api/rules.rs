//! The CEL rules of the kinds, each with a message that says what to write instead.
//!
//! A rule stands here once, whichever kinds use it. Formats are CEL and not `pattern`, because a failed `pattern`
//! prints only the expression. Must never grow a rule that needs more than the object itself: that is policy, and
//! lives in `domain`.

use kube::core::cel::{Reason, Rule};

/// The value never changes; `field` and `way_out` complete the message.
#[must_use]
pub fn immutable(field: &str, way_out: &str) -> Rule {
    Rule::new("self == oldSelf").message(format!("{field} cannot be changed: {way_out}").as_str())
}

/// A MongoDB project id.
#[must_use]
pub fn project_id() -> Rule {
    Rule::new("self.matches('^[0-9a-f]{24}$')").message(
        "projectId must be the project's id, 24 lower-case hexadecimal digits such as 5f1d7c8e9a3b2c4d5e6f7a8b \
         (Project Settings in Atlas shows it)",
    )
}

/// An ASCII e-mail address.
#[must_use]
pub fn username() -> Rule {
    Rule::new(
        r#"self.matches("^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?[.])+[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$")"#,
    )
    .message("username must be the person's e-mail address in ASCII, such as jane.doe@example.com, without a display name or blanks")
}

/// At least one role.
#[must_use]
pub fn roles_present() -> Rule {
    Rule::new("size(self) > 0").message("roles must name at least one project role, such as GROUP_READ_ONLY")
}

/// Every role looks like a project role.
#[must_use]
pub fn roles_well_formed() -> Rule {
    Rule::new("self.all(role, role.matches('^GROUP_[A-Z0-9_]+$'))").message(
        "each role must be a MongoDB project role: GROUP_ and upper-case letters, such as GROUP_READ_ONLY or \
         GROUP_DATA_ACCESS_READ_WRITE (organisation roles, ORG_…, cannot be given by a project invitation)",
    )
}

/// A name that can be that of a Kubernetes object.
#[must_use]
pub fn object_name(field: &str) -> Rule {
    Rule::new("self.matches('^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$')").message(
        format!("{field} must be the name of an object: lower-case letters, digits, '-' and '.', such as team-a")
            .as_str(),
    )
}

/// `https`, or plain `http` to loopback, and nothing but a host and a port.
#[must_use]
pub fn base_url() -> Rule {
    Rule::new(
        r"self.matches('^https://([A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?/?$') || self.matches('^http://(localhost|127\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}|\\[::1\\])(:[0-9]{1,5})?/?$')",
    )
    .message(
        "baseUrl must be https:// and a host, with a port if needed and without path, user or query, such as \
         https://opsmanager.example.com:8443 (plain http:// is for loopback only)",
    )
}

/// Ops Manager has no well-known host.
#[must_use]
pub fn ops_manager_needs_base_url() -> Rule {
    Rule::new("self.product != 'OpsManager' || has(self.baseUrl)")
        .message("baseUrl is required for product OpsManager: write the address of your Ops Manager, such as https://opsmanager.example.com:8443")
        .field_path(".baseUrl")
        .reason(Reason::FieldValueRequired)
}

/// Neither added, changed nor taken away after creation.
#[must_use]
pub fn base_url_immutable() -> Rule {
    Rule::new("has(self.baseUrl) == has(oldSelf.baseUrl) && (!has(self.baseUrl) || self.baseUrl == oldSelf.baseUrl)")
        .message("baseUrl cannot be changed: create another inviter for the other host and point inviterRef to it")
        .field_path(".baseUrl")
}

/// A duration that reads as one.
#[must_use]
pub fn duration_well_formed() -> Rule {
    Rule::new("self.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$') && size(self) > 0")
        .message("checkInterval must be hours, minutes and seconds in whole numbers, such as 5m, 90s or 1h30m")
}

/// No shorter than the API's limits allow.
#[must_use]
pub fn check_interval_bounds() -> Rule {
    Rule::new("!self.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$') || size(self) == 0 || (duration(self) >= duration('30s') && duration(self) <= duration('24h'))")
        .message("checkInterval must be at least 30s and at most 24h, such as 5m")
}

/// `'*'` stands alone, everything else is a project id.
#[must_use]
pub fn allowed_projects() -> Rule {
    Rule::new("self == ['*'] || self.all(project, project.matches('^[0-9a-f]{24}$'))").message(
        "allow.projects must list project ids of 24 lower-case hexadecimal digits, or be ['*'] for every project",
    )
}

/// `'*'` stands alone, everything else is a project role.
#[must_use]
pub fn allowed_roles() -> Rule {
    Rule::new("self == ['*'] || self.all(role, role.matches('^GROUP_[A-Z0-9_]+$'))")
        .message("allow.roles must list project roles such as GROUP_READ_ONLY, or be ['*'] for every role")
}

/// `'*'` stands alone, everything else is a domain.
#[must_use]
pub fn allowed_domains() -> Rule {
    Rule::new("self == ['*'] || self.all(domain, domain.matches('^([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z0-9]([a-z0-9-]*[a-z0-9])?$'))")
        .message("allow.emailDomains must list domains in lower case without '@', such as example.com (a domain does not include its subdomains), or be ['*'] for every domain")
}

/// A `ClusterInviter` says for whom it may act.
#[must_use]
pub fn cluster_inviter_allow() -> Rule {
    Rule::new("has(self.allow) && has(self.allow.projects) && has(self.allow.roles)").message(
        "a ClusterInviter needs allow.projects and allow.roles: list what its users may ask for, or write ['*'] to open it",
    )
    .field_path(".allow")
    .reason(Reason::FieldValueRequired)
}

/// A `ClusterInviter` says who may use it.
#[must_use]
pub fn cluster_inviter_namespaces() -> Rule {
    Rule::new("has(self.namespaces)").message(
        "a ClusterInviter needs namespaces: a label selector of the namespaces that may use it, such as {matchLabels: {mongodb: allowed}}, or {} for every namespace",
    )
    .field_path(".namespaces")
    .reason(Reason::FieldValueRequired)
}

/// Exactly one place to read the bundle from.
#[must_use]
pub fn ca_bundle_key() -> Rule {
    Rule::new("size(self) > 0")
        .message("caBundleRef.key must name the key that holds the PEM certificates, such as ca.crt")
}
