//! Notices that the daemon doesn't respond: something is expected of it, and nothing comes. A request may take long, so that
//! the daemon is asked for a sign of life first. While nothing is expected, nothing is sent and no timer runs.

mod socket;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::Message;

pub(super) use socket::LiveSocket;

/// How long nothing may come while a response is expected.
pub const SILENCE_LIMIT: Duration = Duration::from_secs(3);
/// After this long the daemon is asked for a sign of life, if a response is expected.
const PING_DELAY: Duration = Duration::from_secs(1);
/// As above, if only events are expected.
const EVENTS_PING_DELAY: Duration = Duration::from_secs(3);
/// How long a sign of life may take.
const PONG_TIMEOUT: Duration = Duration::from_secs(2);
/// How late a timer may be. If it is later, this process was stopped itself.
const MAX_DELAY: Duration = Duration::from_secs(1);

/// Whether the daemon responds.
#[derive(Debug)]
pub(super) struct Silence {
    state: Mutex<State>,
    /// Since when it has been silent.
    since: watch::Sender<Option<Instant>>,
    /// Wakes the task that looks.
    wake: Notify,
}

#[derive(Debug)]
struct State {
    /// How many responses are expected.
    responses: usize,
    /// Whether events are expected.
    events: bool,
    /// When something came last, or was first expected after that.
    heard: Instant,
    /// When a sign of life was asked for since.
    pinged: Option<Instant>,
    /// Whether what comes isn't being read.
    paused: bool,
    /// Whether the connection is lost.
    ended: bool,
    /// Whether the task that looks waits until it is woken.
    idle: bool,
}

/// The next step of the task that looks.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Step {
    /// Wait until something changes.
    Wait,
    /// Look again then.
    At(Instant),
    /// Ask for a sign of life.
    Ping,
}

/// A response that is expected until this is dropped.
#[derive(Debug)]
pub(super) struct Expected(Arc<Silence>);

impl Drop for Expected {
    fn drop(&mut self) {
        self.0.state().responses -= 1;
    }
}

impl Silence {
    pub(super) fn new() -> Self {
        let state = State {
            responses: 0,
            events: false,
            heard: Instant::now(),
            pinged: None,
            paused: false,
            ended: false,
            idle: false,
        };
        Self { state: Mutex::new(state), since: watch::Sender::new(None), wake: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns since when the daemon has been silent, while it is.
    pub(super) fn since(&self) -> watch::Receiver<Option<Instant>> {
        self.since.subscribe()
    }

    /// Expects a response.
    pub(super) fn expect(self: &Arc<Self>) -> Expected {
        self.expects(Instant::now(), |state| state.responses += 1);
        Expected(Arc::clone(self))
    }

    /// Expects events from now on, or no longer.
    pub(super) fn expect_events(&self, events: bool) {
        self.expects(Instant::now(), |state| state.events = events);
    }

    fn expects(&self, now: Instant, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        if state.responses == 0 && !state.events && state.pinged.is_none() {
            state.heard = now;
        }
        change(&mut state);
        if std::mem::take(&mut state.idle) {
            self.wake.notify_one();
        }
    }

    /// Handles anything that the daemon sent.
    pub(super) fn heard(&self) {
        self.heard_at(Instant::now());
    }

    fn heard_at(&self, now: Instant) {
        let mut state = self.state();
        (state.heard, state.pinged) = (now, None);
        if self.since.send_if_modified(|since| since.take().is_some()) && std::mem::take(&mut state.idle) {
            self.wake.notify_one();
        }
    }

    /// Sets whether what the daemon sends isn't being read, because what came before isn't taken.
    pub(super) fn pause(&self, paused: bool) {
        let mut state = self.state();
        state.paused = paused;
        if !paused && std::mem::take(&mut state.idle) {
            self.wake.notify_one();
        }
        drop(state);
        self.heard();
    }

    /// Returns whether a sign of life is awaited.
    pub(super) fn is_pinged(&self) -> bool {
        self.state().pinged.is_some()
    }

    /// Expects nothing any more, because the connection is lost.
    pub(super) fn end(&self) {
        self.state().ended = true;
    }

    fn step(&self, now: Instant) -> Step {
        let mut state = self.state();
        if state.paused {
            state.idle = true;
            return Step::Wait;
        }
        if state.ended {
            // It is aborted soon.
            return Step::Wait;
        }
        if let Some(pinged) = state.pinged {
            let due = pinged + PONG_TIMEOUT;
            if now < due {
                return Step::At(due);
            }
            let heard = state.heard;
            self.since.send_if_modified(|since| since.replace(heard).is_none());
        } else if state.responses > 0 || state.events {
            let delay = if state.responses > 0 { PING_DELAY } else { EVENTS_PING_DELAY };
            let due = state.heard + delay;
            if now < due {
                return Step::At(due);
            }
            state.pinged = Some(now);
            return Step::Ping;
        }
        state.idle = true;
        Step::Wait
    }

    /// Looks until it is aborted.
    pub(super) async fn look(self: Arc<Self>, outgoing: mpsc::Sender<Message>) {
        loop {
            match self.step(Instant::now()) {
                Step::Wait => self.wake.notified().await,
                Step::At(due) => {
                    sleep_until(due).await;
                    if due.elapsed() > MAX_DELAY {
                        self.heard();
                    }
                }
                // If there is no room, other frames wait that the daemon doesn't read.
                Step::Ping => drop(outgoing.try_send(Message::Ping(Vec::new().into()))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silence() -> (Arc<Silence>, Instant) {
        let silence = Arc::new(Silence::new());
        let begin = silence.state().heard;
        (silence, begin)
    }

    fn after(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn nothing_is_done_while_nothing_is_expected() {
        let (silence, begin) = silence();
        assert_eq!(silence.step(begin), Step::Wait);
        assert_eq!(silence.step(begin + after(3_600)), Step::Wait);
        assert_eq!(*silence.since().borrow(), None);
    }

    #[test]
    fn a_response_that_does_not_come_is_noticed_after_three_seconds() {
        let (silence, begin) = silence();
        let begin = begin + after(60);
        silence.expects(begin, |state| state.responses += 1);
        assert_eq!(silence.step(begin), Step::At(begin + after(1)));
        assert_eq!(silence.step(begin + after(1)), Step::Ping);
        assert_eq!(silence.step(begin + after(1)), Step::At(begin + SILENCE_LIMIT));
        assert_eq!(*silence.since().borrow(), None);
        assert_eq!(silence.step(begin + after(3)), Step::Wait);
        assert_eq!(*silence.since().borrow(), Some(begin));
        silence.heard_at(begin + after(9));
        assert_eq!(*silence.since().borrow(), None);
        assert_eq!(silence.step(begin + after(9)), Step::At(begin + after(10)));
    }

    #[test]
    fn a_request_that_takes_long_is_no_silence() {
        let (silence, begin) = silence();
        silence.expects(begin, |state| state.responses += 1);
        for second in 1..60 {
            assert_eq!(silence.step(begin + after(second)), Step::Ping);
            silence.heard_at(begin + after(second));
        }
        assert_eq!(*silence.since().borrow(), None);
    }

    #[test]
    fn a_request_that_nobody_waits_for_any_more_does_not_end_the_silence() {
        let (silence, begin) = silence();
        let expected = silence.expect();
        let begin = begin + after(60);
        assert_eq!(silence.step(begin), Step::Ping);
        drop(expected);
        assert_eq!(silence.step(begin + after(2)), Step::Wait);
        assert!(silence.since().borrow().is_some());
        silence.heard_at(begin + after(3));
        assert_eq!(silence.step(begin + after(3)), Step::Wait);
        assert_eq!(*silence.since().borrow(), None);
    }

    #[test]
    fn while_events_are_expected_the_daemon_is_asked_now_and_then() {
        let (silence, begin) = silence();
        silence.expects(begin, |state| state.events = true);
        assert_eq!(silence.step(begin), Step::At(begin + after(3)));
        assert_eq!(silence.step(begin + after(3)), Step::Ping);
        assert_eq!(silence.step(begin + after(5)), Step::Wait);
        assert_eq!(*silence.since().borrow(), Some(begin));
    }

    #[test]
    fn what_this_client_does_not_read_is_no_silence() {
        let (silence, _) = silence();
        silence.expects(Instant::now(), |state| state.responses += 1);
        silence.pause(true);
        assert_eq!(silence.step(Instant::now() + after(60)), Step::Wait);
        silence.pause(false);
        assert!(matches!(silence.step(Instant::now()), Step::At(_)));
        assert_eq!(*silence.since().borrow(), None);
    }
}
