//! Bodies that arrive slowly, are far too long or break off.
//!
//! Owns the way an answer's bytes leave. Must never change what they say, except by padding with
//! white space in front or by stopping early.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::time::{Sleep, sleep};

const PADDING: Bytes = Bytes::from_static(&[b' '; 64 * 1024]);

/// Time for the last bytes of an answer to leave before it breaks off.
const FLUSH: Duration = Duration::from_millis(20);

/// How a body leaves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flow {
    /// So many bytes at a time, with a pause before each piece.
    pub(crate) trickle: Option<(usize, Duration)>,
    /// Break off after so many bytes.
    pub(crate) truncate: Option<usize>,
    /// So many blanks in front.
    pub(crate) padding: usize,
}

/// A body in pieces.
#[derive(Debug)]
pub(crate) struct Pieces {
    padding: usize,
    queue: VecDeque<Bytes>,
    pause: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    breaks_off: bool,
}

impl Pieces {
    /// Cuts a body up.
    pub(crate) fn new(mut body: Bytes, flow: &Flow) -> Self {
        let breaks_off = flow.truncate.is_some_and(|keep| keep < body.len());
        if let Some(keep) = flow.truncate {
            body.truncate(keep);
        }
        let (size, pause) = flow.trickle.unwrap_or((usize::MAX, Duration::ZERO));
        let mut queue = VecDeque::new();
        while !body.is_empty() {
            queue.push_back(body.split_to(size.clamp(1, body.len())));
        }
        Self { padding: flow.padding, queue, pause, waiting: None, breaks_off }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.padding > 0 {
            let size = self.padding.min(PADDING.len());
            self.padding -= size;
            return Poll::Ready(Some(Ok(Frame::data(PADDING.slice(..size)))));
        }
        if !self.pause.is_zero() && !self.queue.is_empty() {
            let pause = self.pause;
            let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(pause)));
            ready!(waiting.as_mut().poll(cx));
            self.waiting = None;
        }
        if let Some(piece) = self.queue.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        if self.breaks_off {
            // What was said so far must be on the wire before the connection goes.
            let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(FLUSH)));
            ready!(waiting.as_mut().poll(cx));
            self.breaks_off = false;
            return Poll::Ready(Some(Err(io::Error::other("broken off on purpose"))));
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.padding == 0 && self.queue.is_empty() && !self.breaks_off
    }
}
