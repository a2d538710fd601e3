//! One contract, held by the fakes and by what they stand for: the real kube-apiserver and the simulator of MongoDB's APIs.
//!
//! The same functions run against both sides of each port. Must never ask one side for more than the other.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::similar_names)]
#![allow(clippy::default_trait_access, reason = "the fields say what they are")]

mod cloud;
mod cluster;
mod fakes;
mod plane;
mod simulator;

use libtest_mimic::{Arguments, Failed, Trial};
use std::process::ExitCode;

/// Every rule of the contract, for one side.
macro_rules! rules {
    ($side:literal, $run:expr, $module:ident: $($rule:ident),* $(,)?) => {
        vec![$(Trial::test(concat!($side, "::", stringify!($rule)), || { $run(async |side| $module::$rule(&side).await); Ok::<(), Failed>(()) })),*]
    };
}

macro_rules! cluster_rules {
    ($side:literal, $run:expr) => {
        rules!($side, $run, cluster:
            a_claim_is_created_once,
            a_claim_is_replaced_only_in_the_version_that_was_seen,
            a_claim_is_deleted_only_in_the_version_that_was_seen,
            a_claim_made_anew_is_another,
            claims_are_listed_by_their_owner,
            the_finalizer_is_added_to_just_this_object,
            the_finalizer_is_removed_from_just_this_object,
            a_deletion_waits_for_finalizers,
            a_deleted_object_takes_no_finalizer,
            the_status_is_written_to_just_this_object,
            only_the_spec_counts_generations,
        )
    };
}

macro_rules! cloud_rules {
    ($side:literal, $run:expr) => {
        rules!($side, $run, cloud:
            a_success_is_one_mail_and_one_invitation,
            a_second_call_mails_again,
            roles_change_in_place,
            a_cancelled_invitation_is_gone,
            who_accepts_is_a_member,
            who_declines_is_gone,
            what_has_expired_is_gone,
            a_new_invitation_may_hide_and_is_cancelled_all_the_same,
            a_lost_reply_is_unknown_and_mailed,
            a_lost_request_is_unknown_and_did_not_mail,
            a_late_call_mails_after_its_caller_gave_up,
            an_unclear_answer_is_not_a_no,
            a_throttled_call_did_not_mail,
            a_bare_404_says_nothing_of_invitations,
            refused_credentials_are_refused_everywhere,
            who_is_granted_access_has_no_invitation,
        )
    };
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = cluster_rules!("fake", fakes::plane);
    trials.extend(cluster_rules!("kubernetes", plane::each));
    trials.extend(cloud_rules!("fake", fakes::cloud));
    trials.extend(cloud_rules!("simulator", simulator::each));
    libtest_mimic::run(&arguments, trials).exit_code()
}
