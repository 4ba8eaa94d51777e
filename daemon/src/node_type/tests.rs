use std::collections::BTreeMap;

use fanlight_shared::value::{Value, Values};

use image::DynamicImage;

use super::*;

fn find(name: &str) -> NodeType {
    built_in().into_iter().find(|it| it.spec.name == name).unwrap()
}

/// Returns inputs as the engine passes them: checked against the spec, with defaults.
fn inputs(name: &str, given: &[(&str, Value)]) -> Values {
    let spec = find(name).spec;
    let mut inputs: Values = given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    for (name, input) in &spec.inputs {
        match inputs.get_mut(name) {
            Some(value) => *value = input.check(value.clone()).unwrap(),
            None => {
                if let Some(default) = &input.default {
                    inputs.insert(name.clone(), default.clone());
                }
            }
        }
    }
    inputs
}

struct Table {
    workspace: Workspace,
    folder: tempfile::TempDir,
}

impl Table {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { workspace: Workspace::of_test(folder.path().to_owned(), BTreeMap::new()), folder }
    }
    fn run(&mut self, name: &str, given: &[(&str, Value)]) -> Result<Values, String> {
        let Runner::Worker(run) = find(name).run else { panic!("{name} needs no worker") };
        run(&mut self.workspace, inputs(name, given)).map_err(String::from)
    }
    /// Runs `image.load` with these bytes.
    fn loads(&mut self, bytes: &[u8]) -> Result<Values, String> {
        let hash = fanlight_shared::id::BlobHash::of(bytes);
        let path = self.folder.path().join(hash.to_string());
        std::fs::write(&path, bytes).unwrap();
        let media = fanlight_shared::media::Media {
            kind: fanlight_shared::media::MediaKind::File,
            hash,
            mime: "application/octet-stream".into(),
            bytes: bytes.len() as u64,
            name: "photo".into(),
            executable: false,
            source: None,
            width: None,
            height: None,
        };
        let mut workspace = Workspace::of_test(self.folder.path().to_owned(), BTreeMap::from([(hash, path)]));
        let Runner::Worker(run) = find("image.load").run else { panic!("image.load needs no worker") };
        let made = run(&mut workspace, Values::from([("file".to_owned(), Value::from(media))]));
        for entry in std::fs::read_dir(self.folder.path()).unwrap().flatten() {
            if entry.path().extension().is_some_and(|it| it == "png") {
                std::fs::remove_file(entry.path()).unwrap();
            }
        }
        made.map_err(String::from)
    }
    fn painted(&mut self, style: &str) -> Value {
        let size = [("style", style.into()), ("width", Value::Int(60)), ("height", Value::Int(40))];
        self.run("image.generate", &size).unwrap()["image"].clone()
    }
}

#[test]
fn a_poster_goes_through_the_picture_nodes() {
    let mut table = Table::new();
    let sky = table.painted("hills");
    let small = table.run("image.resize", &[("image", sky.clone()), ("width", Value::Int(30))]).unwrap();
    let small = small["image"].as_media().unwrap().clone();
    assert_eq!((small.width, small.height, small.name.as_str()), (Some(30), Some(20), "hills.png"));
    let cut = table.run("image.crop", &[("image", sky.clone()), ("x", Value::Int(50))]).unwrap();
    assert_eq!(cut["image"].as_media().unwrap().width, Some(10));
    let outside = table.run("image.crop", &[("image", sky.clone()), ("x", Value::Int(60))]);
    assert!(outside.unwrap_err().contains("outside the picture of 60 × 40"));
    let soft = table.run("image.filter", &[("image", sky.clone()), ("filter", "blur".into())]).unwrap();
    let both = table
        .run(
            "image.blend",
            &[("image", sky.clone()), ("over", soft["image"].clone()), ("mode", "screen".into())],
        )
        .unwrap();
    let poster =
        table.run("image.text", &[("image", both["image"].clone()), ("text", "Hove".into())]).unwrap();
    let before = table.workspace.picture(&both["image"]).unwrap().into_rgb8();
    let after = table.workspace.picture(&poster["image"]).unwrap().into_rgb8();
    assert_eq!(before.dimensions(), after.dimensions());
    assert_ne!(before, after);
    let wrong = table.run("image.text", &[("image", sky), ("text", "x".into()), ("color", "sky".into())]);
    assert!(wrong.unwrap_err().starts_with("input `color`: `sky` is not a colour"));
}

#[test]
fn a_contact_sheet_has_room_for_all() {
    let mut table = Table::new();
    let images: Vec<Value> =
        ["sea", "plasma", "gradient", "voronoi", "noise"].map(|it| table.painted(it)).into();
    let labels: Vec<Value> = (1..=5).map(|n| Value::from(format!("no. {n}"))).collect();
    let given = [
        ("images", images.into()),
        ("labels", labels.into()),
        ("width", Value::Int(100)),
        ("gap", Value::Int(10)),
        ("title", "Five".into()),
    ];
    let sheet = table.run("image.tile", &given).unwrap();
    let media = sheet["image"].as_media().unwrap();
    assert_eq!(media.width, Some(3 * 110 + 10));
    assert!(media.height.unwrap() > 2 * 77 + 10);
    let none = table.run("image.tile", &[("images", Vec::new().into())]);
    assert!(none.unwrap_err().contains("no pictures"));
}

#[test]
fn a_caption_never_shifts_to_another_picture() {
    let mut table = Table::new();
    let images = vec![table.painted("sea"), table.painted("plasma")];
    let labels = ["one", "dropped", "two"].map(Value::from).to_vec();
    let sheet = table.run("image.tile", &[("images", images.into()), ("labels", labels.into())]);
    let error = sheet.unwrap_err();
    assert!(
        error.contains("`images` has 2 items and `labels` has 3; take both from the same node"),
        "{error}"
    );
}

#[test]
fn a_picture_that_ends_too_early_is_refused_in_every_format() {
    use image::ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
    let mut table = Table::new();
    let picture = DynamicImage::ImageRgb8(image::RgbImage::from_fn(64, 64, |x, y| {
        image::Rgb([(x * 7 % 256) as u8, (y * 11 % 256) as u8, ((x * y) % 256) as u8])
    }));
    for format in [Png, Jpeg, Gif, WebP, Bmp, Tiff] {
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        let whole = bytes.into_inner();
        assert!(table.loads(&whole).is_ok(), "{format:?}");
        let error = table.loads(&whole[..whole.len() * 3 / 5]).unwrap_err();
        assert!(error.starts_with("`photo`: the picture is damaged: "), "{format:?}: {error}");
    }
}

#[test]
fn a_file_that_is_not_a_picture_gets_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.txt");
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\x01\0\0\0\x01\0\0\x08\x06\0\0\0".to_vec();
    png.extend(0x7a_f6_c0_f0_u32.to_be_bytes());
    for (bytes, expected) in [(b"hello".to_vec(), "not a picture of a known format"), (png, "")] {
        std::fs::write(&path, &bytes).unwrap();
        let hash = fanlight_shared::id::BlobHash::of(&bytes);
        let media = fanlight_shared::media::Media {
            kind: fanlight_shared::media::MediaKind::File,
            hash,
            mime: "text/plain".into(),
            bytes: 5,
            name: "a.txt".into(),
            width: None,
            height: None,
            executable: false,
            source: None,
        };
        let mut workspace =
            Workspace::of_test(folder.path().to_owned(), BTreeMap::from([(hash, path.clone())]));
        let Runner::Worker(run) = find("image.load").run else { panic!() };
        let error = run(&mut workspace, Values::from([("file".to_owned(), Value::from(media))]))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with("`a.txt`: ") && error.contains(expected), "{error}");
    }
}
