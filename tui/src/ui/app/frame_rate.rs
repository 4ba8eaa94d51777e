//! When the next frame is painted: at once where a person did something, else some time after the last one.

use std::time::{Duration, Instant};

use fanlight_shared::rpc::watch::Notification;

use crate::ui::message::Message;
use crate::ui::view::Areas;

/// Who wants a frame; the sooner first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Urgency {
    /// A person, who waits for what a key does.
    Person,
    /// An answer or a picture that somebody asked for.
    Response,
    /// What runs tell and what moves by itself.
    Telemetry,
}

impl Urgency {
    /// Who wants a frame because of what happened; nobody, where it changes nothing that the last one shows.
    pub(super) fn of(message: &Message, last: &Areas) -> Option<Self> {
        match message {
            Message::Key(_) | Message::Mouse(_) | Message::Paste(_) | Message::Resize(..) => {
                Some(Self::Person)
            }
            Message::Notification(notification) => match **notification {
                // A person moved the lens, or the connection is back.
                Notification::Snapshot { .. } | Notification::Registry { .. } => Some(Self::Response),
                _ => last.shows(notification).then_some(Self::Telemetry),
            },
            Message::Tick(_) => Some(Self::Telemetry),
            Message::Link(_) | Message::Response(_) => Some(Self::Response),
            // What is wanted for what is shown now does not change the picture by itself.
            Message::Shown(_) => None,
        }
    }

    /// The least time since the last frame. The daemon tells of one thing 30 times a second at most: more frames than that
    /// would show nothing more.
    fn pause(self) -> Duration {
        match self {
            Self::Person => Duration::ZERO,
            Self::Response => Duration::from_nanos(1_000_000_000 / 60),
            Self::Telemetry => Duration::from_nanos(1_000_000_000 / 30),
        }
    }
}

/// When the next frame is painted.
#[derive(Debug, Default)]
pub(super) struct FrameRate {
    urgency: Option<Urgency>,
    painted: Option<Instant>,
    /// When something shown moves by itself.
    tick: Option<Instant>,
}

impl FrameRate {
    /// A frame is wanted.
    pub(super) fn request(&mut self, urgency: Urgency) {
        self.urgency = Some(self.urgency.map_or(urgency, |before| before.min(urgency)));
    }

    /// How long it takes until the next frame is due; `None` where none is wanted.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        let pause = self.urgency?.pause();
        let since = self.painted.map_or(Duration::MAX, |painted| now.saturating_duration_since(painted));
        Some(pause.saturating_sub(since))
    }

    /// A frame was painted, and shows all that was wanted. It moves by itself after so many milliseconds, if it does; frames
    /// in between do not put that off, or nothing would move while runs tell much.
    pub(super) fn painted(&mut self, now: Instant, moves_in: Option<u64>) {
        self.urgency = None;
        self.painted = Some(now);
        match moves_in {
            Some(milliseconds) => self.tick_in(now, milliseconds),
            None => self.tick = None,
        }
    }

    /// Something moves by itself after so many milliseconds.
    pub(super) fn tick_in(&mut self, now: Instant, milliseconds: u64) {
        let due = now + Duration::from_millis(milliseconds.max(1));
        self.tick = Some(self.tick.map_or(due, |tick| tick.min(due)));
    }

    /// When something moves by itself next.
    pub(super) fn tick(&self) -> Option<Instant> {
        self.tick
    }

    /// It moved.
    pub(super) fn ticked(&mut self) {
        self.tick = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_happened_so_nothing_is_painted() {
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
    fn what_moves_by_itself_goes_on_while_runs_tell_much() {
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
    fn a_key_waits_for_nothing() {
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
