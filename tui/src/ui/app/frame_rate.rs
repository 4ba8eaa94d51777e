//! Schedules frames: at once after an action of the user, otherwise some time after the last frame.

use std::time::{Duration, Instant};

use fanlight_shared::rpc::watch::Notification;

use crate::ui::areas::Areas;
use crate::ui::message::Message;

/// How urgent a frame is, the most urgent first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Urgency {
    /// The effect of a key.
    Person,
    /// A response or a picture that was requested.
    Response,
    /// Telemetry and animations.
    Telemetry,
}

impl Urgency {
    /// Returns how urgent a frame is after a message; `None` if the message changes nothing on screen.
    pub(super) fn of(message: &Message, last: &Areas) -> Option<Self> {
        match message {
            Message::Key(_) | Message::Mouse(_) | Message::Paste(_) | Message::Resize(..) => {
                Some(Self::Person)
            }
            Message::Notification(notification) => match **notification {
                // The user moved the lens, or the connection is back.
                Notification::Snapshot { .. } | Notification::Registry { .. } => Some(Self::Response),
                _ => last.shows(notification).then_some(Self::Telemetry),
            },
            Message::Tick(_) => Some(Self::Telemetry),
            Message::Link(_) | Message::Silence(_) | Message::Response(_) => Some(Self::Response),
            // Requests for what is shown don't change the picture by themselves.
            Message::Shown(_) => None,
        }
    }

    /// Returns the minimum time since the last frame. The daemon reports each node at most 30 times a second, so more
    /// frames would show nothing new.
    fn pause(self) -> Duration {
        match self {
            Self::Person => Duration::ZERO,
            Self::Response => Duration::from_nanos(1_000_000_000 / 60),
            Self::Telemetry => Duration::from_nanos(1_000_000_000 / 30),
        }
    }
}

/// The schedule of the next frame.
#[derive(Debug, Default)]
pub(super) struct FrameRate {
    urgency: Option<Urgency>,
    painted: Option<Instant>,
    /// When the next animation step is due.
    tick: Option<Instant>,
}

impl FrameRate {
    /// Requests a frame.
    pub(super) fn request(&mut self, urgency: Urgency) {
        self.urgency = Some(self.urgency.map_or(urgency, |before| before.min(urgency)));
    }

    /// Returns how long it takes until the next frame is due; `None` where none is wanted.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        let pause = self.urgency?.pause();
        let since = self.painted.map_or(Duration::MAX, |painted| now.saturating_duration_since(painted));
        Some(pause.saturating_sub(since))
    }

    /// Records that a frame was painted. `moves_in`: its next animation step is due after this many milliseconds;
    /// frames in between don't postpone it, or nothing would move under much telemetry.
    pub(super) fn painted(&mut self, now: Instant, moves_in: Option<u64>) {
        self.urgency = None;
        self.painted = Some(now);
        match moves_in {
            Some(milliseconds) => self.tick_in(now, milliseconds),
            None => self.tick = None,
        }
    }

    /// Schedules an animation step after this many milliseconds.
    pub(super) fn tick_in(&mut self, now: Instant, milliseconds: u64) {
        let due = now + Duration::from_millis(milliseconds.max(1));
        self.tick = Some(self.tick.map_or(due, |tick| tick.min(due)));
    }

    /// Returns when the next animation step is due.
    pub(super) fn tick(&self) -> Option<Instant> {
        self.tick
    }

    /// Handles a step of the animation.
    pub(super) fn ticked(&mut self) {
        self.tick = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_painted_if_nothing_happens() {
        let mut frame_rate = FrameRate::default();
        let now = Instant::now();
        assert_eq!(frame_rate.left(now), None);
        frame_rate.request(Urgency::Telemetry);
        assert_eq!(frame_rate.left(now), Some(Duration::ZERO));
        frame_rate.painted(now, None);
        assert_eq!(frame_rate.left(now + Duration::from_secs(5)), None);
    }

    #[test]
    fn a_flood_is_painted_30_times_a_second() {
        let (mut frame_rate, begun) = (FrameRate::default(), Instant::now());
        let mut frames = 0;
        for millisecond in 0..1_000 {
            let now = begun + Duration::from_millis(millisecond);
            frame_rate.request(Urgency::Telemetry);
            if frame_rate.left(now) == Some(Duration::ZERO) {
                frame_rate.painted(now, None);
                frames += 1;
            }
        }
        assert!((29..=30).contains(&frames), "{frames}");
    }

    #[test]
    fn animations_continue_while_runs_send_many_events() {
        let (mut frame_rate, begun) = (FrameRate::default(), Instant::now());
        for frame in 0..4 {
            frame_rate.painted(begun + frame * Duration::from_millis(33), Some(125));
        }
        assert_eq!(frame_rate.tick(), Some(begun + Duration::from_millis(125)));
        frame_rate.ticked();
        frame_rate.painted(begun + Duration::from_millis(130), None);
        assert_eq!(frame_rate.tick(), None);
    }

    #[test]
    fn a_key_is_handled_at_once() {
        let (mut frame_rate, now) = (FrameRate::default(), Instant::now());
        frame_rate.painted(now, None);
        frame_rate.request(Urgency::Telemetry);
        let telemetry = frame_rate.left(now);
        frame_rate.request(Urgency::Response);
        assert!(frame_rate.left(now) < telemetry);
        frame_rate.request(Urgency::Person);
        frame_rate.request(Urgency::Telemetry);
        assert_eq!(frame_rate.left(now), Some(Duration::ZERO));
    }
}
