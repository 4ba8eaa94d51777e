//! Pictures and sounds that begin later than at 0, and uneven ones.

use fanlight_shared::value::Value;

use super::{BLUE, Cutting, RED, json, near, seconds};

/// A video of 2 s with a sound, of which the pictures or the sound begin later.
fn late(cutting: &mut Cutting, pictures: &str, sound: &str) -> Value {
    let colours: Vec<_> = (0..20).map(|at| if at < 19 { RED } else { BLUE }).collect();
    let video = cutting.video(&colours);
    let silence = cutting.sound(2.0);
    let (video, silence) = (cutting.path(&video), cutting.path(&silence));
    let inputs = ["-itsoffset", pictures, "-i", &video, "-itsoffset", sound, "-i", &silence];
    let args = [&inputs[..], &["-map", "0:v", "-map", "1:a", "-c", "copy"]].concat();
    cutting.film("late.mkv", &args)
}

#[test]
fn a_sound_is_added_to_late_pictures_without_losing_the_last_ones() {
    let Some(mut cutting) = Cutting::new() else { return };
    let video = late(&mut cutting, "0.5", "0");
    for (sound, length, frames) in
        [(2.0, "video", 20), (3.0, "video", 20), (2.5, "audio", 25), (1.0, "audio", 10)]
    {
        let audio = cutting.sound(sound);
        let given = [("video", video.clone()), ("audio", audio), ("length", length.into())];
        let made = cutting.run("video.add_audio", &given).unwrap();
        assert_eq!(made["frames"], Value::Int(frames), "{sound} {length}");
        if frames >= 20 {
            let last = cutting.colours(&made["video"]).pop().unwrap();
            assert!(near(last, BLUE), "{sound} {length}: {last:?}");
        }
    }
}

#[test]
fn late_pictures_and_late_sounds_are_joined_with_their_distance() {
    let Some(mut cutting) = Cutting::new() else { return };
    let (pictures, sound) = (late(&mut cutting, "0.5", "0"), late(&mut cutting, "0", "1"));
    let even = late(&mut cutting, "0", "0");
    let videos = Value::List(vec![pictures, even.clone(), sound, even]);
    let made = cutting.run("video.concat", &[("videos", videos)]).unwrap();
    assert!((seconds(&made) - 8.5).abs() < 0.01 && made["frames"] == Value::Int(85), "{made:?}");
    let sound = cutting.run("video.extract_audio", &[("video", made["video"].clone())]).unwrap();
    assert!((seconds(&sound) - 8.5).abs() < 0.1, "{sound:?}");
    let found = cutting.colours(&made["video"]);
    assert!(near(found[0], RED) && near(found[23], RED) && near(found[24], BLUE) && near(found[44], BLUE));
}

#[test]
fn a_thumbnail_of_uneven_pictures_shows_the_one_of_its_moment() {
    let Some(mut cutting) = Cutting::new() else { return };
    let video = cutting.video(&[vec![RED; 30], vec![BLUE; 10]].concat());
    let path = cutting.path(&video);
    let filter = "select='eq(n,0)+gte(n,30)'";
    let uneven = cutting.film("uneven.mp4", &["-i", &path, "-vf", filter, "-fps_mode", "vfr"]);
    for (at, expected) in [(0.0, RED), (1.5, RED), (2.9, RED), (3.0, BLUE), (3.9, BLUE)] {
        let given = [("video", uneven.clone()), ("at", Value::Float(at))];
        let image = cutting.run("video.thumbnail", &given).unwrap()["image"].clone();
        assert!(near(cutting.middle(&image), expected), "{at}");
    }
    let late = late(&mut cutting, "0.5", "0");
    for (at, expected) in [(0.0, RED), (2.35, RED), (2.45, BLUE)] {
        let given = [("video", late.clone()), ("at", Value::Float(at))];
        let image = cutting.run("video.thumbnail", &given).unwrap()["image"].clone();
        assert!(near(cutting.middle(&image), expected), "{at}");
    }
}

#[test]
fn pictures_that_are_cut_out_by_the_begin_of_a_file_do_not_count() {
    let Some(mut cutting) = Cutting::new() else { return };
    let video = cutting.video(&[vec![RED; 10], vec![BLUE; 10]].concat());
    let path = cutting.path(&video);
    let part = cutting.film("part.mp4", &["-ss", "0.5", "-i", &path, "-c", "copy"]);
    let every = cutting.run("video.to_frames", &[("video", part.clone())]).unwrap();
    assert_eq!(every["count"], Value::Int(15));
    let made = cutting.run("video.resize", &[("video", part), ("width", Value::Int(32))]).unwrap();
    assert_eq!(made["frames"], Value::Int(15));
}

#[test]
fn texts_that_overlap_are_burnt_but_not_cut_in_a_track() {
    let Some(mut cutting) = Cutting::new() else { return };
    let video = cutting.video(&[RED; 20]);
    let both = json(
        r#"[{"start": 0, "end": 1.5, "text": "Always here"}, {"start": 0.5, "end": 9, "text": "Until the end"}]"#,
    );
    let given = [("video", video.clone()), ("subtitles", both), ("mode", "track".into())];
    let error = cutting.run("video.subtitle", &given).unwrap_err();
    assert_eq!(
        error,
        "text 2 of `subtitles` begins before the one before it has ended, which a track can't hold; set `mode: burn`"
    );
    cutting.run("video.subtitle", &given[..2]).unwrap();
    let longer = json(r#"[{"start": 0.5, "end": 9, "text": "Until the end"}]"#);
    let given = [("video", video), ("subtitles", longer), ("mode", "track".into())];
    let track = cutting.run("video.subtitle", &given).unwrap()["video"].clone();
    let file = cutting.path(&track);
    let shown = cutting.film("texts.srt", &["-i", &file, "-map", "0:s"]);
    let shown = String::from_utf8(cutting.bytes(&shown)).unwrap();
    assert!(shown.contains("00:00:00,500 --> 00:00:02,000\nUntil the end"), "{shown}");
}
