//! What a file contains, packet by packet, as ffmpeg's format `framecrc` lists it.

use crate::ffmpeg::Messages;

/// The flag of packets that belong to no picture that is shown, such as those before the begin of a part.
const DISCARDED: i64 = 4;

/// The streams of a file.
#[derive(Default, Debug)]
pub(super) struct Probe {
    streams: Vec<Stream>,
    /// The time from 0 to its end that the file claims to have, in seconds.
    pub(super) claimed: Option<f64>,
}

/// One stream of a file.
#[derive(Clone, Default, PartialEq, Debug)]
pub(super) struct Stream {
    media: String,
    pub(super) codec: String,
    /// The length of a tick, in seconds.
    tick: f64,
    pub(super) size: (u32, u32),
    /// The width of a pixel in heights of it.
    pub(super) pixel: f64,
    pub(super) packets: u64,
    /// In ticks.
    start: Option<i64>,
    end: i64,
}

impl Stream {
    /// Returns when its last packet ends, in seconds from the begin of the file.
    pub(super) fn end_seconds(&self) -> f64 {
        self.end as f64 * self.tick
    }

    /// Returns how long it lasts.
    pub(super) fn seconds(&self) -> f64 {
        (self.end - self.start.unwrap_or(self.end)) as f64 * self.tick
    }

    /// Returns how many packets it has in a second.
    pub(super) fn rate(&self) -> f64 {
        self.packets as f64 / self.seconds()
    }
}

impl Probe {
    /// Returns the first stream of a kind: `video` or `audio`.
    pub(super) fn first(&self, media: &str) -> Option<&Stream> {
        self.streams.iter().find(|stream| stream.media == media && stream.packets > 0)
    }

    /// Returns where the last packet of all streams ends, in seconds.
    pub(super) fn end(&self) -> f64 {
        self.streams.iter().map(Stream::end_seconds).fold(0.0, f64::max)
    }

    /// Reads a line of the list. Lines that are not of use are ignored. Returns when the packet begins, in seconds, if it is one.
    pub(super) fn add(&mut self, line: &str) -> Option<f64> {
        match line.strip_prefix('#') {
            Some(head) => {
                self.head(head);
                None
            }
            None => self.packet(line),
        }
    }

    fn head(&mut self, head: &str) -> Option<()> {
        let (key, value) = head.split_once(": ")?;
        let (key, at) = key.rsplit_once(' ')?;
        let stream = self.stream(at.parse().ok()?)?;
        let value = value.trim();
        let ratio = |by: char| {
            let (over, under) = value.split_once(by)?;
            Some((over.parse::<f64>().ok()?, under.parse::<f64>().ok()?))
        };
        match key {
            "tb" => stream.tick = ratio('/').filter(|it| it.1 > 0.0).map(|it| it.0 / it.1)?,
            "media_type" => value.clone_into(&mut stream.media),
            "codec_id" => value.clone_into(&mut stream.codec),
            "dimensions" => {
                let (width, height) = value.split_once('x')?;
                stream.size = (width.parse().ok()?, height.parse().ok()?);
            }
            "sar" => stream.pixel = ratio(':').filter(|it| it.0 > 0.0 && it.1 > 0.0).map(|it| it.0 / it.1)?,
            _ => {}
        }
        Some(())
    }

    /// Returns when the packet begins, in seconds.
    fn packet(&mut self, line: &str) -> Option<f64> {
        let mut fields = line.split(',').map(str::trim);
        let stream = self.stream(fields.next()?.parse().ok()?)?;
        let mut ticks = || fields.next()?.parse::<i64>().ok();
        let (decoded, shown, length) = (ticks()?, ticks()?, ticks()?);
        let flags = fields.find_map(|field| i64::from_str_radix(field.strip_prefix("F=0x")?, 16).ok());
        // It is decoded for others, and cut out itself.
        if flags.is_some_and(|flags| flags & DISCARDED != 0) {
            return None;
        }
        let begin = if shown == i64::MIN { decoded } else { shown };
        stream.packets += 1;
        stream.start = Some(stream.start.map_or(begin, |start| start.min(begin)));
        stream.end = stream.end.max(begin.saturating_add(length.max(0)));
        Some(begin as f64 * stream.tick)
    }

    /// Returns a stream; there are few, whatever a file says.
    fn stream(&mut self, at: usize) -> Option<&mut Stream> {
        if at >= 64 {
            return None;
        }
        if self.streams.len() <= at {
            self.streams.resize_with(at + 1, || Stream { pixel: 1.0, ..Stream::default() });
        }
        self.streams.get_mut(at)
    }

    /// Reads the length that the file claims from ffmpeg's messages.
    pub(super) fn claims(&mut self, messages: &Messages) {
        let line = messages.of(&["info"]).find_map(|line| line.strip_prefix("  Duration: "));
        let Some((time, rest)) = line.and_then(|line| line.split_once(", ")) else { return };
        let mut parts = time.split(':').map(str::parse::<f64>);
        let (Some(Ok(hours)), Some(Ok(minutes)), Some(Ok(seconds))) =
            (parts.next(), parts.next(), parts.next())
        else {
            return;
        };
        let start = rest.strip_prefix("start: ").and_then(|rest| rest.split(',').next()?.parse::<f64>().ok());
        self.claimed = Some(hours * 3600.0 + minutes * 60.0 + seconds + start.unwrap_or(0.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "#software: Lavf60\n#tb 0: 1/1000\n#media_type 0: video\n#codec_id 0: h264\n\
        #dimensions 0: 64x48\n#sar 0: 4/3\n#sar 0: 4:3\n#tb 1: 1/44100\n#media_type 1: audio\n#codec_id 1: aac\n\
        0, -200, 0, 100, 1391, 0x2eea4d2d\n1, 0, 0, 22050, 5, 0x1, F=0x0\n0, -100, 300, 100, 11, 0x5\n\
        0, -300, -300, 100, 1391, 0x2eea4d2d, F=0x5\n0, 0, -9223372036854775808, 100, 11, 0x5\nrubbish\n99, 0, 0, 1, 1, 0x0\n";

    #[test]
    fn streams_have_their_packets_and_their_length_whatever_the_order() {
        let mut probe = Probe::default();
        let begins: Vec<f64> = LIST.lines().filter_map(|line| probe.add(line)).collect();
        assert_eq!(begins.len(), 4, "{begins:?}");
        let video = probe.first("video").unwrap();
        assert_eq!((video.packets, video.size, video.codec.as_str()), (3, (64, 48), "h264"));
        assert!((video.seconds() - 0.4).abs() < 1e-9 && (video.rate() - 7.5).abs() < 1e-9);
        assert!((video.pixel - 4.0 / 3.0).abs() < 1e-9);
        assert!((probe.first("audio").unwrap().seconds() - 0.5).abs() < 1e-9);
        assert!((probe.end() - 0.5).abs() < 1e-9);
        assert!(probe.first("subtitle").is_none());
    }

    #[test]
    fn a_title_can_not_claim_a_length() {
        let claimed = |messages: &str| {
            let mut probe = Probe::default();
            probe.claims(&messages.to_owned().into());
            probe.claimed
        };
        let titled = "[info] Input #0, mov, from 'a':\n[info]     title : x\n                : [info]   Duration: 09:00:00.00, start: 0.0\n\
            [info]   Duration: 00:01:02.50, start: 0.500000, bitrate: 90 kb/s\n";
        assert_eq!(claimed(titled), Some(63.0));
        assert_eq!(claimed("[info]   Duration: N/A, start: 0.000000, bitrate: N/A\n"), None);
    }
}
