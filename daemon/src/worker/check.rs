//! Whether a file from outside is whole. What can't be decoded here is checked as far as its container says.

mod container;

use std::path::Path;

use fanlight_shared::media::{Media, MediaKind};

use crate::{picture, sound};

/// Checks a file.
///
/// # Errors
/// A sentence: it is damaged or cut.
pub(super) fn check(media: &Media, file: &Path) -> Result<(), String> {
    match media.kind {
        MediaKind::Image => picture::check(file),
        MediaKind::Audio => {
            container::check(file, "sound")?;
            sound::check(file, &media.mime)
        }
        MediaKind::Video => container::check(file, "video"),
        MediaKind::File | MediaKind::Dir => Ok(()),
    }
}

#[cfg(all(test, feature = "llm"))]
#[allow(clippy::unwrap_used)]
pub(crate) mod fixture {
    use futures_util::future::BoxFuture;
    use tokio_util::sync::CancellationToken;

    use super::{Media, check};
    use crate::file_error::FileError;
    use crate::media::Checker;
    use crate::store::blob::Blobs;

    /// Checks in this process.
    pub(crate) struct InProcess(pub(crate) Blobs);

    impl Checker for InProcess {
        fn check(&self, media: Media, _cancel: CancellationToken) -> BoxFuture<'_, Result<(), FileError>> {
            let bytes = self.0.open_media(&media).unwrap().next(1 << 30).unwrap();
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), bytes).unwrap();
            let checked = check(&media, file.path());
            Box::pin(std::future::ready(checked.map_err(FileError::from)))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use fanlight_shared::id::BlobHash;
    use image::{DynamicImage, ImageFormat};

    use super::*;

    fn checked(kind: MediaKind, mime: &str, bytes: &[u8]) -> Result<(), String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let media = Media {
            kind,
            hash: BlobHash::of(bytes),
            mime: mime.into(),
            bytes: bytes.len() as u64,
            name: "it".into(),
            width: None,
            height: None,
            executable: false,
            source: None,
        };
        check(&media, file.path())
    }

    /// Checks that the whole bytes pass and that their beginnings don't.
    fn is_cut(kind: MediaKind, mime: &str, bytes: &[u8], lengths: &[usize]) {
        assert_eq!(checked(kind, mime, bytes), Ok(()), "{mime}");
        for length in lengths {
            assert!(checked(kind, mime, &bytes[..*length]).is_err(), "{mime}: {length} of {}", bytes.len());
        }
    }

    #[test]
    fn a_picture_that_was_cut_is_found_in_each_format() {
        let noise = |x: u32, y: u32| (x * 7919 + y * 104_729) as u8;
        let picture = image::RgbImage::from_fn(64, 48, |x, y| image::Rgb([noise(x, y), noise(y, x), 9]));
        for (format, mime) in [
            (ImageFormat::Png, "image/png"),
            (ImageFormat::Jpeg, "image/jpeg"),
            (ImageFormat::Gif, "image/gif"),
            (ImageFormat::WebP, "image/webp"),
            (ImageFormat::Bmp, "image/bmp"),
        ] {
            let mut bytes = Cursor::new(Vec::new());
            DynamicImage::from(picture.clone()).write_to(&mut bytes, format).unwrap();
            let bytes = bytes.into_inner();
            is_cut(MediaKind::Image, mime, &bytes, &[40, bytes.len() / 2, bytes.len() - 4]);
        }
        let vector = b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>";
        assert_eq!(checked(MediaKind::Image, "image/svg+xml", vector), Ok(()), "it is not decoded here");
    }

    #[test]
    fn a_film_whose_later_frames_are_missing_is_cut() {
        let mut bytes = Vec::new();
        let mut encoder = image::codecs::gif::GifEncoder::new(&mut bytes);
        let frames = (0..4).map(|at| {
            image::Frame::new(image::RgbaImage::from_pixel(8, 8, image::Rgba([at * 60, 0, 0, 255])))
        });
        encoder.encode_frames(frames).unwrap();
        drop(encoder);
        is_cut(MediaKind::Image, "image/gif", &bytes, &[bytes.len() / 2, bytes.len() - 1]);
    }

    /// A WAV file of one channel and 8,000 frames a second.
    fn wav(declared: u32, samples: usize) -> Vec<u8> {
        let mut bytes = b"RIFF".to_vec();
        bytes.extend(declared.saturating_add(36).to_le_bytes());
        bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data");
        bytes.extend(declared.to_le_bytes());
        bytes.extend(vec![1; 2 * samples]);
        bytes
    }

    #[test]
    fn a_sound_that_has_less_than_it_says_is_cut() {
        let checked = |bytes: &[u8]| checked(MediaKind::Audio, "audio/x-wav", bytes);
        assert_eq!(checked(&wav(32_000, 16_000)), Ok(()));
        let error = checked(&wav(32_000, 8_000)).unwrap_err();
        let expected = "the sound is damaged: it ends after ";
        assert!(error.starts_with(expected) && error.ends_with(" of 2.0 s"), "{error}");
        assert!(
            checked(&wav(32_000, 0)).unwrap_err().starts_with("the sound "),
            "it has none of its samples"
        );
        assert!(checked(&wav(32_000, 1)[..30]).is_err(), "its head is cut");
        for streamed in [u32::MAX, 0x7fff_f000, 0x7fff_ffff - 36] {
            assert_eq!(
                checked(&wav(streamed, 8_000)),
                Ok(()),
                "a length that was not known when it was sent"
            );
        }
    }

    #[test]
    fn a_video_without_its_index_or_its_end_is_cut() {
        let part = |kind: &[u8; 4], bytes: usize| {
            let mut part = u32::try_from(bytes + 8).unwrap().to_be_bytes().to_vec();
            part.extend(kind);
            part.extend(vec![0; bytes]);
            part
        };
        let whole = [part(b"ftyp", 16), part(b"moov", 40), part(b"mdat", 100)].concat();
        is_cut(MediaKind::Video, "video/mp4", &whole, &[20, 24, 60, whole.len() - 1]);
        let zeros = [part(b"ftyp", 16), vec![0; 200]].concat();
        let error = checked(MediaKind::Video, "video/mp4", &zeros).unwrap_err();
        assert_eq!(error, "the video is damaged: its index is missing");
        let no_pictures = [part(b"ftyp", 16), part(b"moov", 40)].concat();
        assert!(checked(MediaKind::Video, "video/mp4", &no_pictures).is_err());
        let open_end = [part(b"ftyp", 16), part(b"moov", 40), b"\0\0\0\0mdat1234".to_vec()].concat();
        assert_eq!(checked(MediaKind::Video, "video/mp4", &open_end), Ok(()));

        let head = b"\x1a\x45\xdf\xa3\x84abcd\x18\x53\x80\x67";
        let segment = [&head[..], b"\x8a", &[0; 10]].concat();
        is_cut(MediaKind::Video, "video/webm", &segment, &[6, 12, segment.len() - 1]);
        let live = [&head[..], b"\x01\xff\xff\xff\xff\xff\xff\xff", &[0; 10]].concat();
        assert_eq!(checked(MediaKind::Video, "video/webm", &live), Ok(()), "its length was not known");
    }
}
