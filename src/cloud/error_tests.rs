//! The table of errors, row by row, as the error references of the three products have them.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::cloud::transport::Body;
use http::{HeaderMap, HeaderValue, StatusCode};

fn answer(status: u16, body: &str) -> Answer {
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: Body::Whole(body.as_bytes().to_vec()),
    }
}

fn api_error(status: u16, code: &str) -> Answer {
    let body = serde_json::json!({"error": status, "errorCode": code, "detail": "What the API says.", "reason": "Bad",
        "parameters": null, "new": {"x": 1}});
    answer(status, &body.to_string())
}

fn context(product: Product, endpoint: Endpoint) -> Context {
    Context { product, endpoint }
}

const CREATE: Context = Context { product: Product::Atlas, endpoint: Endpoint::CreateInvitation };
const CANCEL: Context = Context { product: Product::Atlas, endpoint: Endpoint::CancelInvitation };
const LIST: Context = Context { product: Product::Atlas, endpoint: Endpoint::ListInvitations };
const UNAVAILABLE: FailureKind = FailureKind::Unavailable { retry_after: None };
const RATE_LIMITED: FailureKind = FailureKind::RateLimited { retry_after: None };

/// Every row of the contract, with the family of handling that it has there.
const ROWS: &[(u16, FailureKind, &[&str])] = &[
    (400, FailureKind::Refused, &["CANNOT_DELETE_GROUP_INVITATION", "CANNOT_DELETE_ORG_INVITATION"]),
    (400, FailureKind::Doubtful, &["DEFAULT_INVITATION_EXCEPTION", "SOMETHING_NEW", "UNEXPECTED_ERROR"]),
    (400, FailureKind::InvitationThrottled, &["INVITATIONS_RATE_LIMITED_IP", "RATE_LIMITED_IP"]),
    (
        400,
        FailureKind::Refused,
        &[
            "INVALID_ROLE_FOR_GROUP",
            "INVALID_ROLE_FOR_ORG",
            "UNSUPPORTED_ROLE",
            "ROLE_NEEDS_GROUP_ID",
            "ROLE_NEEDS_NO_GROUP_ID",
            "ROLE_NEEDS_ORG_ID",
            "ROLE_NEEDS_NO_ORG_ID",
            "CANNOT_ADD_ORG_ROLE",
            "CANNOT_ADD_GROUP_ROLE",
            "INVALID_GROUP_ROLE_UPDATE",
            "INVALID_ENUM_VALUE",
            "INVALID_USERNAME",
            "INVALID_EMAIL_ADDRESS",
            "INVALID_DOMAIN_IN_USERNAME",
            "DOMAIN_NOT_IN_ALLOW_LIST",
            "BLOCKED_USERNAME",
            "BAD_USERNAME_REF",
            "BAD_USERNAME_IN_GROUP_REF",
            "INVALID_USER",
            "FEDERATED_USER_ATTRIBUTES_CANNOT_BE_UPDATED",
            "INVALID_ATTRIBUTE",
            "ATTRIBUTE_READ_ONLY",
            "MISSING_ATTRIBUTE",
            "MISSING_ATTRIBUTES",
            "MISSING_OR_INVALID_ATTRIBUTE",
            "INVALID_JSON",
            "INVALID_JSON_ATTRIBUTE",
            "MALFORMED_JSON",
            "VALIDATION_ERROR",
            "INVALID_QUERY_PARAMETER",
            "INVALID_PATH_PARAMETER",
            "MUTUALLY_EXCLUSIVE_QUERY_PARAMETERS",
            "FRACTIONAL_TIMESTAMP",
            "INVALID_VERSION_DATE",
            "MAX_USERS_PER_GROUP_EXCEEDED",
            "MAX_USERS_PER_ORG_EXCEEDED",
            "MAX_ORGS_PER_USER_EXCEEDED",
            "MAX_GROUPS_PER_USER_EXCEEDED",
            "DEFAULT_CONFIG_LIMIT_EXCEPTION",
            "INACTIVE_ORG",
            "ALREADY_EXPIRED",
            "GROUP_MISMATCH",
        ],
    ),
    (401, FailureKind::CredentialsRejected, &["UNEXPECTED_ERROR", "UNAUTHORIZED", "EXPIRED_TOKEN"]),
    (
        401,
        FailureKind::PermissionMissing,
        &[
            "NO_CURRENT_USER",
            "USER_UNAUTHORIZED",
            "NOT_IN_GROUP",
            "NOT_GROUP_USER_ADMIN",
            "NOT_ORG_GROUP_CREATOR",
            "NOT_ORG_OWNER",
            "NOT_ORG_USER_ADMIN",
            "NOT_ORG_ADMIN",
            "NOT_USER_ADMIN",
            "NOT_GLOBAL_USER_ADMIN",
            "USER_CANNOT_ACCESS_GROUP",
            "USER_CANNOT_ACCESS_ORG",
        ],
    ),
    (402, FailureKind::Refused, &["ACCOUNT_SUSPENDED"]),
    (
        403,
        FailureKind::NotOnAccessList,
        &[
            "IP_ADDRESS_NOT_ON_ACCESS_LIST",
            "IP_ADDRESS_NOT_ON_WHITELIST",
            "RESOURCE_REQUIRES_ACCESS_LIST",
            "RESOURCE_REQUIRES_WHITELIST",
            "ORG_REQUIRES_ACCESS_LIST",
            "ORG_REQUIRES_WHITELIST",
        ],
    ),
    (
        403,
        FailureKind::Refused,
        &[
            "ACCESS_FORBIDDEN",
            "INVITATION_ONLY_MODE_OR_LDAP",
            "FEATURE_UNSUPPORTED",
            "USER_ORGS_RESTRICTED",
            "NO_FREE_TIER_API",
            "UNSUPPORTED_FOR_CURRENT_CONFIG",
            "UNSUPPORTED_FOR_CURRENT_PLAN",
            "CANNOT_DELETE_LAST_ADMIN",
            "CANNOT_DELETE_LAST_OWNER",
            "CANNOT_DEMOTE_LAST_OWNER",
            "CANNOT_REMOVE_ALL_USER_ROLES",
            "CANNOT_ADD_GLOBAL_ROLE",
            "ROLES_SPECIFIED_FOR_USER",
            "SOMETHING_NEW",
        ],
    ),
    (404, FailureKind::ProjectNotFound, &["RESOURCE_NOT_FOUND", "GROUP_NOT_FOUND", "INVALID_GROUP_ID"]),
    (404, FailureKind::EndpointMissing, &["UNEXPECTED_ERROR", "SOMETHING_NEW"]),
    (
        404,
        FailureKind::Doubtful,
        &["INVALID_USER_ID", "USER_NOT_FOUND", "USERNAME_NOT_FOUND", "USER_NOT_IN_GROUP", "USER_NOT_IN_ORG"],
    ),
    (404, FailureKind::Refused, &["CANNOT_ADD_PENDING_USER", "ORG_NOT_FOUND"]),
    (404, FailureKind::WrongProduct, &["ATLAS_GROUP", "INVALID_ATLAS_GROUP", "NOT_ATLAS_GROUP", "NOT_ATLAS_ORG"]),
    (405, FailureKind::Maintenance, &["WRITES_NOT_ALLOWED_DURING_APP_UPGRADES"]),
    (405, FailureKind::Doubtful, &["METHOD_NOT_ALLOWED"]),
    (406, FailureKind::Doubtful, &["INVALID_VERSION_DATE"]),
    (408, UNAVAILABLE, &["TIMEOUT"]),
    (409, FailureKind::AlreadyThere, &["USER_ALREADY_IN_GROUP", "USER_ALREADY_EXISTS", "SOMETHING_NEW"]),
    (400, FailureKind::AlreadyThere, &["USER_ALREADY_IN_GROUP"]),
    (410, FailureKind::Sunset, &["GONE", "INVALID_INVITATION_ID"]),
    (422, FailureKind::Refused, &["UNPROCESSABLE"]),
    (429, RATE_LIMITED, &["RATE_LIMITED", "RATE_LIMITED_TOKEN_BUCKET"]),
    (500, UNAVAILABLE, &["UNEXPECTED_ERROR", "INVALID_INVITATION_ID", "INVALID_ROLE_FOR_GROUP"]),
    (503, UNAVAILABLE, &["SERVICE_UNAVAILABLE"]),
];

#[test]
fn every_row_of_the_contract_means_for_a_create_what_it_says() {
    let mut rows = 0;
    for (status, expected, codes) in ROWS {
        for code in *codes {
            let found = classify(CREATE, &api_error(*status, code));
            assert_eq!(found.kind, *expected, "{status} {code}");
            assert!(found.message.starts_with(&format!("API answered {status} {code}")), "{}", found.message);
            rows += 1;
        }
    }
    assert!(rows > 110, "{rows}");
}

#[test]
fn a_cancel_and_a_list_read_the_same_rows_alike() {
    for (status, expected, codes) in ROWS {
        for code in codes.iter().filter(|code| **code != "INVALID_INVITATION_ID") {
            for context in [CANCEL, LIST] {
                assert_eq!(classify(context, &api_error(*status, code)).kind, *expected, "{status} {code}");
            }
        }
    }
}

#[test]
fn an_invitation_is_gone_only_by_its_code_with_404_or_400_on_a_path_that_names_one() {
    for endpoint in Endpoint::ALL {
        for product in [Product::Atlas, Product::CloudManager, Product::OpsManager] {
            for status in [400, 404] {
                let found = classify(context(product, endpoint), &api_error(status, "INVALID_INVITATION_ID")).kind;
                let names_one = matches!(
                    endpoint,
                    Endpoint::GetInvitation | Endpoint::UpdateInvitation | Endpoint::CancelInvitation
                );
                let expected = if names_one { FailureKind::InvitationGone } else { FailureKind::Doubtful };
                assert_eq!(found, expected, "{endpoint:?} {status}");
            }
        }
    }
    for status in [401, 402, 403, 405, 406, 409, 410, 418, 422, 429, 500, 502, 503, 504] {
        assert_ne!(classify(CANCEL, &api_error(status, "INVALID_INVITATION_ID")).kind, FailureKind::InvitationGone);
    }
    for (status, body) in [
        (404, ""),
        (404, "<html>INVALID_INVITATION_ID</html>"),
        (404, "null"),
        (404, "[\"INVALID_INVITATION_ID\"]"),
        (404, r#"{"detail":"INVALID_INVITATION_ID"}"#),
        (404, r#"{"errorCode":["INVALID_INVITATION_ID"]}"#),
    ] {
        assert_ne!(classify(CANCEL, &answer(status, body)).kind, FailureKind::InvitationGone, "{body}");
    }
}

#[test]
fn what_the_api_did_not_write_is_no_definite_no_to_a_create() {
    for body in ["", "<html><body>Not here</body></html>", "null", "[]", "\"no\"", "{}", "{\"status\":404}", "{\"error"]
    {
        for status in (400..500).filter(|status| *status != 401) {
            let found = classify(CREATE, &answer(status, body));
            assert!(!found.kind.is_definite_no(), "{status} {body}: {:?}", found.kind);
        }
        assert_eq!(classify(CREATE, &answer(401, body)).kind, FailureKind::CredentialsRejected);
    }
    let broken = Answer { body: Body::Broken, ..answer(404, "") };
    assert_eq!(classify(CREATE, &broken).kind, FailureKind::Doubtful);
}

#[test]
fn what_the_api_did_not_write_is_for_a_read_what_its_status_says() {
    for (status, expected) in [
        (302, FailureKind::Doubtful),
        (400, FailureKind::Doubtful),
        (401, FailureKind::CredentialsRejected),
        (403, FailureKind::Doubtful),
        (404, FailureKind::EndpointMissing),
        (405, FailureKind::Doubtful),
        (408, UNAVAILABLE),
        (409, FailureKind::AlreadyThere),
        (410, FailureKind::Sunset),
        (413, FailureKind::Doubtful),
        (429, RATE_LIMITED),
        (500, UNAVAILABLE),
        (502, UNAVAILABLE),
        (503, UNAVAILABLE),
        (504, UNAVAILABLE),
        (599, UNAVAILABLE),
        (999, UNAVAILABLE),
    ] {
        let found = classify(LIST, &answer(status, "<html>secret page</html>"));
        assert_eq!(found.kind, expected, "{status}");
        assert!(!found.message.contains("secret"), "{}", found.message);
    }
    assert!(!classify(LIST, &answer(404, r#"{"error":"x","detail":"theirs"}"#)).message.contains("theirs"));
    assert!(classify(LIST, &answer(404, "<html>")).message.contains("is baseUrl right?"));
}

#[test]
fn the_oldest_generation_has_no_code_and_is_read_by_status() {
    let old = |status: u16| answer(status, &format!(r#"{{"error":{status},"reason":"x","detail":"words"}}"#));
    for (status, expected) in [
        (400, FailureKind::Doubtful),
        (401, FailureKind::CredentialsRejected),
        (403, FailureKind::Refused),
        (404, FailureKind::EndpointMissing),
        (409, FailureKind::AlreadyThere),
        (422, FailureKind::Refused),
        (429, RATE_LIMITED),
        (500, UNAVAILABLE),
    ] {
        assert_eq!(classify(CREATE, &old(status)).kind, expected, "{status}");
    }
    assert!(classify(CREATE, &old(403)).message.contains("API answered 403: words"));
}

#[test]
fn a_code_in_the_header_counts_where_the_body_has_none() {
    let mut with_header = answer(404, "");
    with_header.headers.insert("x-error-code", HeaderValue::from_static("INVALID_INVITATION_ID"));
    assert_eq!(classify(CANCEL, &with_header).kind, FailureKind::InvitationGone);
    let mut with_both = api_error(404, "GROUP_NOT_FOUND");
    with_both.headers.insert("x-error-code", HeaderValue::from_static("INVALID_INVITATION_ID"));
    assert_eq!(classify(CANCEL, &with_both).kind, FailureKind::ProjectNotFound);
    let mut odd = answer(404, "");
    odd.headers.insert("x-error-code", HeaderValue::from_static("not a code; <b>"));
    assert!(!classify(CANCEL, &odd).message.contains("not a code"));
}

#[test]
fn waits_are_taken_from_the_header_or_the_token_bucket() {
    let mut limited = api_error(429, "RATE_LIMITED");
    limited.headers.insert("retry-after", HeaderValue::from_static("7"));
    assert_eq!(classify(LIST, &limited).kind.retry_after(), Some(Duration::from_secs(7)));
    let mut down = answer(503, "<html>");
    down.headers.insert("retry-after", HeaderValue::from_static("9"));
    assert_eq!(classify(LIST, &down).kind.retry_after(), Some(Duration::from_secs(9)));
    let bucket = r#"{"errorCode":"RATE_LIMITED_TOKEN_BUCKET","parameters":["/x",12,1200,500,60]}"#;
    assert_eq!(classify(LIST, &answer(429, bucket)).kind.retry_after(), Some(Duration::from_secs(12)));
}

#[test]
fn messages_name_the_cure() {
    let said = |product, endpoint, status, code| classify(context(product, endpoint), &api_error(status, code)).message;
    let list = Endpoint::ListInvitations;
    for (message, words) in [
        (said(Product::CloudManager, list, 404, "ATLAS_GROUP"), "product: Atlas"),
        (said(Product::Atlas, list, 404, "NOT_ATLAS_GROUP"), "product: CloudManager or OpsManager"),
        (said(Product::Atlas, list, 404, "INVALID_ATLAS_GROUP"), "product: CloudManager or OpsManager"),
        (said(Product::OpsManager, list, 404, "INVALID_ATLAS_GROUP"), "product: Atlas"),
        (said(Product::OpsManager, list, 404, "RESOURCE_NOT_FOUND"), "Ops Manager 5.0"),
        (said(Product::Atlas, list, 404, "GROUP_NOT_FOUND"), "spec.projectId"),
        (said(Product::Atlas, list, 401, "NOT_IN_GROUP"), "Project Owner"),
        (said(Product::Atlas, list, 400, "INVALID_ROLE_FOR_GROUP"), "spec.roles"),
        (said(Product::Atlas, list, 400, "MALFORMED_JSON"), "bug of the operator"),
        (said(Product::Atlas, list, 404, "UNEXPECTED_ERROR"), "is baseUrl right?"),
        (said(Product::Atlas, list, 400, "INVALID_USERNAME"), "What the API says"),
    ] {
        assert!(message.contains(words), "{message} lacks {words}");
    }
    assert!(!said(Product::OpsManager, Endpoint::ListMembers, 404, "RESOURCE_NOT_FOUND").contains("5.0"));
    assert!(!said(Product::Atlas, list, 404, "RESOURCE_NOT_FOUND").contains("5.0"));
}

#[test]
fn an_address_that_is_not_on_the_list_is_named() {
    let code = "IP_ADDRESS_NOT_ON_ACCESS_LIST";
    for (detail, parameters, expected) in [
        ("IP address 203.0.113.9 is not allowed to access this resource.", "[\"203.0.113.9\"]", "add 203.0.113.9 "),
        ("IP address 203.0.113.9 is not allowed.", "null", "add 203.0.113.9 "),
        ("Address (2001:db8::1).", "[]", "add 2001:db8::1 "),
        ("No.", "[7]", "add the operator's address"),
    ] {
        let body = format!(r#"{{"error":403,"errorCode":"{code}","detail":"{detail}","parameters":{parameters}}}"#);
        let found = classify(LIST, &answer(403, &body));
        assert_eq!(found.kind, FailureKind::NotOnAccessList);
        assert!(found.message.contains(expected), "{}", found.message);
    }
}

#[test]
fn messages_stay_the_same_while_their_cause_stays() {
    for (status, code) in [(429, "RATE_LIMITED"), (500, "UNEXPECTED_ERROR"), (400, "RATE_LIMITED_IP")] {
        let with = |detail: &str| {
            let body = serde_json::json!({"error": status, "errorCode": code, "detail": detail});
            classify(LIST, &answer(status, &body.to_string()))
        };
        assert_eq!(with("retry in 5 s, request a1"), with("retry in 4 s, request b2"));
    }
}

#[test]
fn fields_that_a_validation_names_are_in_the_message() {
    let body = r#"{"error":400,"errorCode":"VALIDATION_ERROR","detail":"Invalid.",
        "badRequestDetail":{"fields":[{"field":"roles","description":"too\u001b[1m many"},{"field":1}]}}"#;
    let found = classify(CREATE, &answer(400, body));
    assert!(found.message.contains("Invalid. (roles: too [1m many)"), "{}", found.message);
    assert!(!found.message.contains('\u{1b}'));
}

proptest::proptest! {
    #[test]
    fn no_body_breaks_the_reading_or_makes_an_invitation_gone(status in 300_u16..600, body in "\\PC{0,300}") {
        for context in [CREATE, CANCEL, LIST] {
            let found = classify(context, &answer(status, &body));
            proptest::prop_assert_ne!(found.kind, FailureKind::InvitationGone);
            proptest::prop_assert!(found.message.len() <= 1024);
        }
    }

    #[test]
    fn no_fields_of_other_types_break_the_reading(code in "[A-Z_]{0,30}", number in 0_u64..99, text in "\\PC{0,40}") {
        for value in [serde_json::json!(number), serde_json::json!(text), serde_json::json!([text]), serde_json::json!(null)] {
            let body = serde_json::json!({"error": value, "errorCode": code, "detail": value, "reason": value,
                "parameters": value, "badRequestDetail": {"fields": value}});
            let found = classify(CREATE, &answer(400, &body.to_string()));
            proptest::prop_assert!(found.message.len() <= 1024);
        }
    }
}
