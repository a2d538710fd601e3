//! Everything that can happen in the small world: one action an effect.

/// One step of a schedule. The first number names a process, the second one of its passes: the two objects', the sweep's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// People apply an object.
    Apply(u8),
    /// People delete it.
    Delete(u8),
    /// A deletion beats the finalizer: the object is gone at once.
    DeleteBeatsFinalizer(u8),
    /// People release it.
    Release(u8),
    /// People write a new token into its resend annotation.
    Resend(u8),
    /// The person accepts.
    Accept,
    /// The person declines.
    Decline,
    /// A process loses its memory, and starts again with an old cache.
    Crash(u8),
    /// 65 seconds pass.
    Tick,
    /// A day passes in which nothing happens.
    Day,
    /// The cache of a process catches up.
    CatchUp(u8),
    /// The cloud acts on a call, and e-mails.
    Act(u8),
    /// The cloud refuses a call: too many.
    Refuse(u8),
    /// Lists show an invitation.
    Appear(u8),
    /// A pass begins with the object as it is.
    Begin(u8, u8),
    /// It reads the claim, its owner and the object; a look may be shared.
    Gather(u8, u8),
    /// The same, when a look of its own is due.
    GatherAfresh(u8, u8),
    /// It reads the lists, and decides.
    List(u8, u8),
    /// It writes the claim.
    Write(u8, u8),
    /// It writes the claim, and gets no answer.
    WriteUnanswered(u8, u8),
    /// It reads the claim back.
    ReadBack(u8, u8),
    /// It writes the finalizer.
    Finalize(u8, u8),
    /// It sends the call that e-mails, if the fence lets it.
    Send(u8, u8),
    /// It gets the answer.
    Answer(u8, u8),
    /// It gets an answer that names no invitation.
    AnswerWithoutId(u8, u8),
    /// It waits no longer.
    GiveUpWaiting(u8, u8),
    /// It cancels.
    Cancel(u8, u8),
    /// It cancels, and gets no answer.
    CancelUnanswered(u8, u8),
    /// It records the result.
    Record(u8, u8),
    /// It cannot record the result in time, and goes on; the result is tried on beside it.
    Postpone(u8, u8),
    /// A result that was postponed is recorded.
    RecordLate(u8),
    /// It removes the finalizer.
    Part(u8, u8),
    /// It writes the status.
    Show(u8, u8),
    /// The sweep begins with a claim whose owner is gone, or that holds a debt.
    Sweep(u8),
    /// The sweep deletes a claim with nothing left to remember.
    SweepAway(u8),
}

impl Action {
    /// Whether the system does it alone: no person, no crash.
    #[must_use]
    pub fn is_of_the_system(self) -> bool {
        !matches!(
            self,
            Self::Apply(_)
                | Self::Delete(_)
                | Self::DeleteBeatsFinalizer(_)
                | Self::Release(_)
                | Self::Resend(_)
                | Self::Accept
                | Self::Decline
                | Self::Crash(_)
        )
    }
}
