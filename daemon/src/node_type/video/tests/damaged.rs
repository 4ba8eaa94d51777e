use fanlight_shared::media::{Media, MediaKind};
use fanlight_shared::value::Value;
use image::{DynamicImage, Rgb, RgbImage};

use super::{Cutting, RED};

/// A video whose pictures can't be made small, so that each part of the file is needed.
fn noise(cutting: &mut Cutting) -> Value {
    let mut random = 1_u32;
    let mut noise = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 24) as u8
    };
    let mut images = Vec::new();
    for _ in 0..60 {
        let picture = RgbImage::from_fn(64, 48, |_, _| Rgb([noise(), noise(), noise()]));
        images.push(cutting.workspace.put_picture("noise.png", &DynamicImage::from(picture)).unwrap());
    }
    cutting.run("video.from_frames", &[("images", Value::List(images))]).unwrap()["video"].clone()
}

#[test]
fn the_title_of_a_damaged_file_is_not_why_it_is_refused() {
    let Some(mut cutting) = Cutting::new() else { return };
    let video = noise(&mut cutting);
    let video = cutting.path(&video);
    for (name, title) in [
        ("film.mp4", "No space left on device"),
        ("film.mp4", "malloc of size 1 failed"),
        ("film.mkv", "Estimating duration from bitrate"),
    ] {
        let title = format!("title={title}");
        let args = ["-i", &video, "-c", "copy", "-movflags", "+faststart", "-metadata", &title];
        let film = cutting.film(name, &args);
        let bytes = cutting.bytes(&film);
        let cut = cutting.file(name, &bytes[..bytes.len() / 2], MediaKind::Video);
        let error = cutting.run("video.resize", &[("video", cut), ("width", Value::Int(32))]).unwrap_err();
        assert!(error.starts_with(&format!("`{name}`: ")) && error.contains("damaged"), "{error}");
        assert!(!error.contains("Input #0"), "{error}");
    }
}

#[test]
fn a_cut_file_is_refused_if_its_format_says_how_long_it_is() {
    let Some(mut cutting) = Cutting::new() else { return };
    let video = noise(&mut cutting);
    let mp4 = cutting.path(&video);
    let mut formats = vec![("mp4", cutting.bytes(&video))];
    for format in ["mkv", "avi", "mov"] {
        let film = cutting.film(&format!("film.{format}"), &["-i", &mp4, "-c", "copy"]);
        formats.push((format, cutting.bytes(&film)));
    }
    for (format, bytes) in formats {
        let name = format!("film.{format}");
        let whole = cutting.file(&name, &bytes, MediaKind::Video);
        let given = |video| [("video", video), ("width", Value::Int(32))];
        let made = cutting.run("video.resize", &given(whole)).unwrap();
        assert_eq!(made["frames"], Value::Int(60), "{format}");
        for keep in [bytes.len() / 2, bytes.len() * 4 / 5] {
            let cut = cutting.file(&name, &bytes[..keep], MediaKind::Video);
            let error = cutting.run("video.resize", &given(cut)).unwrap_err();
            assert!(error.starts_with(&format!("`{name}`: ")) && error.contains("damaged"), "{error}");
        }
    }
}

#[test]
fn a_playlist_that_is_named_like_a_video_reaches_no_other_file() {
    let Some(mut cutting) = Cutting::new() else { return };
    let video = cutting.video(&[RED; 10]);
    let secret = cutting.workspace.path(&video).unwrap();
    let secret = secret.display();
    for text in [
        format!("ffconcat version 1.0\nfile '{secret}'\n"),
        format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n"),
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n".to_owned(),
    ] {
        let file = cutting.file("film.mp4", text.as_bytes(), MediaKind::Video);
        for (name, inputs) in [
            ("video.to_frames", vec![("video", file.clone())]),
            ("video.add_audio", vec![("video", video.clone()), ("audio", as_audio(&file))]),
            ("video.concat", vec![("videos", Value::List(vec![video.clone(), file.clone()]))]),
        ] {
            let error = cutting.run(name, &inputs).unwrap_err();
            assert!(error.starts_with("`film.mp4`: this is not a video that can be read"), "{name}: {error}");
        }
    }
}

fn as_audio(value: &Value) -> Value {
    let media = value.as_media().unwrap();
    Value::from(Media { kind: MediaKind::Audio, ..media.clone() })
}
