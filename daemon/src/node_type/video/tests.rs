mod damaged;
mod late;

use std::collections::BTreeMap;
use std::process::Command;

use fanlight_shared::media::{Media, MediaKind};
use fanlight_shared::value::{Value, Values};
use image::{DynamicImage, Rgb, RgbImage};

use super::node_types;
use crate::node_type::fixture::{inputs, json};
use crate::node_type::{Runner, Workspace};

/// A workspace in which one node after the other works; `None` and a word about it without ffmpeg.
struct Cutting {
    workspace: Workspace,
    folder: tempfile::TempDir,
}

const RED: [u8; 3] = [230, 20, 20];
const BLUE: [u8; 3] = [20, 20, 230];

impl Cutting {
    fn new() -> Option<Self> {
        if Command::new("ffmpeg").arg("-version").output().is_err() {
            fanlight_shared::testing::skip("there is no ffmpeg");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let made = tempfile::tempdir_in(&folder).unwrap().keep();
        let workspace = Workspace::of_test(made, BTreeMap::new());
        Some(Self { workspace, folder })
    }

    fn run(&mut self, name: &str, given: &[(&str, Value)]) -> Result<Values, String> {
        let node_type = node_types().into_iter().find(|it| it.spec.name == name).unwrap();
        let inputs = inputs(&node_type, given)?;
        let Runner::Worker(run) = &node_type.run else { panic!("{name} needs no worker") };
        run(&mut self.workspace, inputs).map_err(String::from).map(|mut made| {
            // The engine sees what the daemon has found in the bytes.
            for (port, value) in &mut made {
                let kind = node_type.spec.outputs[port].ty.clone();
                match (value, kind) {
                    (Value::Media(media), fanlight_shared::types::Type::Media(kind)) => media.kind = kind,
                    (Value::List(items), _) => items.iter_mut().for_each(|it| {
                        if let Value::Media(media) = it {
                            media.kind = MediaKind::Image;
                        }
                    }),
                    _ => {}
                }
            }
            made
        })
    }

    /// A video of 10 pictures in a second, each of one colour.
    fn video(&mut self, colours: &[[u8; 3]]) -> Value {
        let images = colours.iter().map(|colour| self.picture(64, 48, *colour)).collect();
        let given = [("images", Value::List(images)), ("fps", Value::Float(10.0))];
        self.run("video.from_frames", &given).unwrap()["video"].clone()
    }

    fn picture(&mut self, width: u32, height: u32, colour: [u8; 3]) -> Value {
        let picture = RgbImage::from_pixel(width, height, Rgb(colour));
        self.workspace.put_picture("frame.png", &DynamicImage::from(picture)).unwrap()
    }

    /// A sound of silence.
    fn sound(&mut self, seconds: f64) -> Value {
        let data = (seconds * 8000.0) as u32 * 2;
        let mut wav = b"RIFF".to_vec();
        wav.extend((data + 36).to_le_bytes());
        wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data");
        wav.extend(data.to_le_bytes());
        wav.resize(wav.len() + data as usize, 0);
        self.file("sound.wav", &wav, MediaKind::Audio)
    }

    fn file(&mut self, name: &str, bytes: &[u8], kind: MediaKind) -> Value {
        let (file, value) = self.workspace.create(name).unwrap();
        std::io::Write::write_all(&mut &file, bytes).unwrap();
        let Value::Media(media) = value else { panic!("no media") };
        Value::from(Media { kind, ..*media })
    }

    /// A video that ffmpeg makes with these arguments.
    fn film(&mut self, name: &str, args: &[&str]) -> Value {
        let path = self.folder.path().join(name);
        ffmpeg(args, &path);
        self.file(name, &std::fs::read(path).unwrap(), MediaKind::Video)
    }

    fn path(&self, value: &Value) -> String {
        self.workspace.path(value).unwrap().to_str().unwrap().to_owned()
    }

    fn bytes(&self, value: &Value) -> Vec<u8> {
        std::fs::read(self.workspace.path(value).unwrap()).unwrap()
    }

    /// The colours of the pictures of a video, in their middle.
    fn colours(&mut self, video: &Value) -> Vec<[u8; 3]> {
        let made = self.run("video.to_frames", &[("video", video.clone())]).unwrap();
        let images = made["images"].as_list().unwrap().to_vec();
        images.iter().map(|image| self.middle(image)).collect()
    }

    fn middle(&self, image: &Value) -> [u8; 3] {
        let picture = self.workspace.picture(image).unwrap().to_rgb8();
        picture.get_pixel(picture.width() / 2, picture.height() / 2).0
    }
}

/// Runs ffmpeg with these arguments, which write a file.
fn ffmpeg(args: &[&str], path: &std::path::Path) {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-nostdin", "-v", "error", "-y"]).args(args).arg(path);
    assert!(ffmpeg.status().unwrap().success(), "{ffmpeg:?}");
}

fn near(one: [u8; 3], other: [u8; 3]) -> bool {
    one.iter().zip(other).all(|(one, other)| one.abs_diff(other) < 12)
}

fn seconds(made: &Values) -> f64 {
    made["seconds"].as_float().unwrap()
}

#[test]
fn pictures_become_a_video_and_come_back_with_their_colours() {
    let Some(mut cutting) = Cutting::new() else { return };
    let colours = [RED, BLUE, RED, [250, 250, 250], [128, 128, 128]];
    let video = cutting.video(&colours);
    let back = cutting.colours(&video);
    assert!(back.len() == 5 && back.iter().zip(colours).all(|(one, other)| near(*one, other)), "{back:?}");
    let every =
        cutting.run("video.to_frames", &[("video", video.clone()), ("every", Value::Int(2))]).unwrap();
    assert_eq!(every["count"], Value::Int(3));
    let names: Vec<_> = every["images"].as_list().unwrap().iter().map(Workspace::name_of).collect();
    assert_eq!(names, ["video-0001.png", "video-0002.png", "video-0003.png"]);
    let few =
        cutting.run("video.to_frames", &[("video", video.clone()), ("most", Value::Int(4))]).unwrap_err();
    assert_eq!(few, "the video has more than 4 such pictures; take fewer of them, or set `most`");
    let slow = cutting.run("video.to_frames", &[("video", video), ("fps", Value::Float(4.0))]).unwrap();
    assert_eq!(slow["count"], Value::Int(2));
}

#[test]
fn pictures_of_other_sizes_are_fitted_into_the_first_and_odd_sizes_lose_a_row() {
    let Some(mut cutting) = Cutting::new() else { return };
    let images = vec![cutting.picture(65, 49, RED), cutting.picture(10, 48, BLUE)];
    let given = [("images", Value::List(images)), ("fps", Value::Float(0.5)), ("background", "white".into())];
    let made = cutting.run("video.from_frames", &given).unwrap();
    assert!((seconds(&made) - 4.0).abs() < 0.01 && made["frames"] == Value::Int(2), "{made:?}");
    let frames = cutting.run("video.to_frames", &[("video", made["video"].clone())]).unwrap();
    let second = cutting.workspace.picture(&frames["images"].as_list().unwrap()[1]).unwrap().to_rgb8();
    assert_eq!(second.dimensions(), (64, 48));
    assert!(near(second.get_pixel(4, 24).0, [255; 3]) && near(second.get_pixel(32, 24).0, BLUE));
    let none = cutting.run("video.from_frames", &[("images", Value::List(vec![]))]).unwrap_err();
    assert_eq!(none, "`images` is empty; there are no pictures");
    let dot = Value::List(vec![cutting.picture(1, 1, RED)]);
    assert!(cutting.run("video.from_frames", &[("images", dot)]).unwrap_err().contains("has 1 × 1 pixels"));
}

#[test]
fn a_part_begins_and_ends_at_its_picture() {
    let Some(mut cutting) = Cutting::new() else { return };
    let colours: Vec<[u8; 3]> = (0..20).map(|at| if at < 10 { RED } else { BLUE }).collect();
    let video = cutting.video(&colours);
    let part = |cutting: &mut Cutting, start: f64, end: f64| {
        let given = [("video", video.clone()), ("start", Value::Float(start)), ("end", Value::Float(end))];
        cutting.run("video.trim", &given)
    };
    let made = part(&mut cutting, 0.8, 1.3).unwrap();
    assert!((seconds(&made) - 0.5).abs() < 0.01, "{made:?}");
    let found = cutting.colours(&made["video"]);
    assert!(found.len() == 5 && near(found[1], RED) && near(found[2], BLUE), "{found:?}");
    assert_eq!(
        part(&mut cutting, 1.0, 2.5).unwrap_err(),
        "`end` is after the end of the video, which lasts 2.000 s"
    );
    assert_eq!(part(&mut cutting, 1.0, 1.0).unwrap_err(), "`end` is not after `start`");
    assert_eq!(
        part(&mut cutting, 2.0, 3.0).unwrap_err(),
        "`start` is not within the video, which lasts 2.000 s"
    );
}

#[test]
fn a_thumbnail_shows_the_picture_of_its_moment() {
    let Some(mut cutting) = Cutting::new() else { return };
    let video = cutting.video(&[RED, RED, RED, BLUE, BLUE]);
    for (at, expected) in [(0.0, RED), (0.25, RED), (0.3, BLUE), (0.35, BLUE), (0.49, BLUE)] {
        let given = [("video", video.clone()), ("at", Value::Float(at))];
        let image = cutting.run("video.thumbnail", &given).unwrap()["image"].clone();
        assert!(near(cutting.middle(&image), expected), "{at}");
    }
    let late = cutting.run("video.thumbnail", &[("video", video), ("at", Value::Float(0.5))]).unwrap_err();
    assert_eq!(late, "`at` is not within the video, which lasts 0.500 s");
}

#[test]
fn a_sound_is_added_cut_or_awaited_and_taken_out_again() {
    let Some(mut cutting) = Cutting::new() else { return };
    let video = cutting.video(&[RED; 20]);
    for (sound, length, expected) in
        [(3.0, "video", 2.0), (1.0, "video", 2.0), (3.0, "audio", 3.0), (1.0, "audio", 1.0)]
    {
        let audio = cutting.sound(sound);
        let given = [("video", video.clone()), ("audio", audio), ("length", length.into())];
        let made = cutting.run("video.add_audio", &given).unwrap();
        assert!((seconds(&made) - expected).abs() < 0.11, "{sound} {length}: {made:?}");
        for format in ["wav", "flac", "mp3", "ogg", "m4a"] {
            let given = [("video", made["video"].clone()), ("format", format.into())];
            let taken = cutting.run("video.extract_audio", &given).unwrap();
            let off = (seconds(&taken) - sound.min(expected)).abs();
            // These add blocks, which are long at this rate.
            let most = if matches!(format, "mp3" | "m4a") { 0.25 } else { 0.11 };
            assert!(off < most, "{sound} {length} {format}: {taken:?}");
        }
    }
    let none = cutting.run("video.extract_audio", &[("video", video)]).unwrap_err();
    assert_eq!(none, "`video.mp4`: the video has no sound");
}

#[test]
fn videos_of_several_sizes_and_sounds_play_one_after_the_other() {
    let Some(mut cutting) = Cutting::new() else { return };
    let one = cutting.video(&[RED; 10]);
    let small = vec![cutting.picture(32, 32, BLUE); 10];
    let two = cutting
        .run("video.from_frames", &[("images", Value::List(small)), ("fps", Value::Float(20.0))])
        .unwrap();
    let audio = cutting.sound(0.5);
    let two = cutting.run("video.add_audio", &[("video", two["video"].clone()), ("audio", audio)]).unwrap();
    let given = [("videos", Value::List(vec![one.clone(), two["video"].clone(), one]))];
    let made = cutting.run("video.concat", &given).unwrap();
    assert!((seconds(&made) - 2.5).abs() < 0.02 && made["frames"] == Value::Int(25), "{made:?}");
    let found = cutting.colours(&made["video"]);
    assert!(
        near(found[9], RED) && near(found[10], BLUE) && near(found[14], BLUE) && near(found[15], RED),
        "{found:?}"
    );
    let sound = cutting.run("video.extract_audio", &[("video", made["video"].clone())]).unwrap();
    assert!((seconds(&sound) - 2.5).abs() < 0.1, "{sound:?}");
    assert!(
        cutting.run("video.concat", &[("videos", Value::List(vec![]))]).unwrap_err().contains("is empty")
    );
}

#[test]
fn a_video_is_resized_to_even_sides() {
    let Some(mut cutting) = Cutting::new() else { return };
    let video = cutting.video(&[RED, BLUE]);
    let given = [("video", video.clone()), ("width", Value::Int(32))];
    let made = cutting.run("video.resize", &given).unwrap();
    let frames = cutting.run("video.to_frames", &[("video", made["video"].clone())]).unwrap();
    let first = cutting.workspace.picture(&frames["images"].as_list().unwrap()[0]).unwrap();
    assert_eq!((first.width(), first.height(), &frames["count"]), (32, 24, &Value::Int(2)));
    let odd =
        cutting.run("video.resize", &[("video", video.clone()), ("height", Value::Int(33))]).unwrap_err();
    assert_eq!(odd, "`height` is 33; a video has even sides only");
    assert!(cutting.run("video.resize", &[("video", video)]).unwrap_err().contains("neither `width` nor"));
}

#[test]
fn subtitles_are_drawn_while_they_are_shown_or_become_a_track() {
    let Some(mut cutting) = Cutting::new() else { return };
    let images = vec![cutting.picture(320, 240, [0; 3]); 20];
    let given = [("images", Value::List(images)), ("fps", Value::Float(10.0))];
    let video = cutting.run("video.from_frames", &given).unwrap()["video"].clone();
    let text = json(r#"[{"start": 0.5, "end": 1.0, "text": "It's [a]: %{x}, \\N 'quoted'"}]"#);
    let burned =
        cutting.run("video.subtitle", &[("video", video.clone()), ("subtitles", text.clone())]).unwrap();
    let light = |cutting: &mut Cutting, at: f64| {
        let given = [("video", burned["video"].clone()), ("at", Value::Float(at))];
        let image = cutting.run("video.thumbnail", &given).unwrap()["image"].clone();
        let picture = cutting.workspace.picture(&image).unwrap().to_luma8();
        picture.pixels().filter(|it| it.0[0] > 200).count()
    };
    assert_eq!((light(&mut cutting, 0.2), light(&mut cutting, 1.5)), (0, 0));
    let drawn = light(&mut cutting, 0.7);
    assert!(drawn > 20, "{drawn}");
    let braces = [("video", video.clone()), ("subtitles", text), ("mode", "track".into())];
    let error = cutting.run("video.subtitle", &braces).unwrap_err();
    assert!(error.starts_with("text 1 of `subtitles` has a brace"), "{error}");
    let text = json(r#"[{"start": 0.5, "end": 1.0, "text": "It's <b> \\N 'quoted'"}]"#);
    let track =
        [("video", video.clone()), ("subtitles", text), ("mode", "track".into()), ("language", "eng".into())];
    let track = cutting.run("video.subtitle", &track).unwrap();
    assert_eq!(track["frames"], Value::Int(20));
    let bytes = cutting.bytes(&track["video"]);
    assert!(bytes.windows(8).any(|it| it == b"'quoted'"));
    let unknown = json(r#"[{"start": 0.5, "end": 1.0, "text": "\udb83\ude34"}]"#);
    let error =
        cutting.run("video.subtitle", &[("video", video.clone()), ("subtitles", unknown)]).unwrap_err();
    assert!(error.starts_with("no font has the letter"), "{error}");
    let late = json(r#"[{"start": 2.5, "end": 3, "text": "x"}]"#);
    let error = cutting.run("video.subtitle", &[("video", video), ("subtitles", late)]).unwrap_err();
    assert_eq!(error, "text 1 of `subtitles` begins after the end of the video, which lasts 2.000 s");
}
