use std::io::{Cursor, Seek, SeekFrom, Write};

use image::{DynamicImage, ImageFormat};

use super::*;
use crate::file_error::FileError;

fn of(bytes: &[u8]) -> Sniffed {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.seek(SeekFrom::Start(3)).unwrap();
    sniff(&mut file).unwrap()
}

fn picture(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::new_rgb8(7, 5).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[test]
fn pictures_are_recognised_by_their_bytes_and_have_a_size() {
    for (format, mime) in [
        (ImageFormat::Png, "image/png"),
        (ImageFormat::Jpeg, "image/jpeg"),
        (ImageFormat::Gif, "image/gif"),
        (ImageFormat::WebP, "image/webp"),
        (ImageFormat::Bmp, "image/bmp"),
        (ImageFormat::Tiff, "image/tiff"),
    ] {
        let found = of(&picture(format));
        assert_eq!((found.kind, found.mime.as_str()), (MediaKind::Image, mime));
        assert_eq!((found.width, found.height), (Some(7), Some(5)), "{mime}");
    }
}

#[test]
fn a_broken_picture_is_recognised_by_its_magic_number_and_has_no_size() {
    let found = of(&picture(ImageFormat::Png)[..12]);
    assert_eq!((found.kind, found.width), (MediaKind::Image, None));
}

#[test]
fn text_sound_and_other_files_are_recognised() {
    assert_eq!(of("Grüße\n".as_bytes()).mime, "text/plain");
    assert_eq!(of(b"BMW builds cars\n").mime, "text/plain");
    assert_eq!(of(b"<svg xmlns='http://www.w3.org/2000/svg'/>").kind, MediaKind::File);
    assert_eq!(of(b"").mime, "application/x-empty");
    assert_eq!(of(&[0, 159, 146, 150]).mime, "application/octet-stream");
    assert_eq!(of(b"RIFF\x24\0\0\0WAVEfmt ").kind, MediaKind::Audio);
    assert_eq!(of(b"{\"layers\": [1, 2]}\n").mime, "application/json");
    for text in [&b"{\"a\": 1}\n{\"a\": 2}\n"[..], b"{ not json }", b"12", b"[section]\nkey = 1\n"] {
        assert_eq!(of(text).mime, "text/plain");
    }
    let deep = [vec![b'['; 10_000], vec![b']'; 10_000]].concat();
    assert_eq!(of(&deep).mime, "text/plain", "what no reader of JSON takes is text");
    let long = "ü".repeat(600_000);
    assert_eq!(of(long.as_bytes()).mime, "text/plain", "a head that ends inside a character is still text");
}

#[test]
fn names_are_shortened_and_have_no_folders() {
    assert_eq!(file_name("../../etc/passwd"), "passwd");
    assert_eq!(file_name("a\u{1b}[31m\n.png"), "a[31m.png");
    assert_eq!(file_name(".."), "file");
    let long = file_name(&format!("{}.png", "ü".repeat(300)));
    assert!(long.len() <= MAX_NAME_BYTES && long.ends_with("ü.png"), "{long}");
}

#[test]
fn a_declared_type_is_checked_against_the_bytes() {
    let media = |bytes: &[u8], name: &str| describe(of(bytes), BlobHash::of(bytes), bytes.len() as u64, name);
    let png = picture(ImageFormat::Png);
    assert!(check(media(&png, "a.txt"), &Type::Media(MediaKind::Image)).is_ok());
    assert!(check(media(&png, "a.png"), &Type::Media(MediaKind::File)).is_ok());
    let error = check(media(b"hello", "a.png"), &Type::Media(MediaKind::Image)).unwrap_err();
    assert_eq!(error, "`a.png` is text/plain, but image is declared");
    let error = check(media(b"", "a.png"), &Type::Media(MediaKind::Image)).unwrap_err();
    assert_eq!(error, "`a.png` is empty, but image is declared");
}

/// Returns a separate store for published files.
fn store() -> crate::store::tests::Fixture {
    crate::store::tests::Fixture::new()
}

#[test]
fn a_folder_is_imported_with_the_files_below_it() {
    let (at, folder) = (store(), tempfile::tempdir().unwrap());
    let path = folder.path().join("photos");
    std::fs::create_dir_all(path.join("b/c")).unwrap();
    for name in ["a.txt", "b/c/d.txt", "b.txt"] {
        std::fs::write(path.join(name), name).unwrap();
    }
    std::os::unix::fs::symlink("b.txt", path.join("link")).unwrap();
    std::os::unix::fs::symlink("b", path.join("folder")).unwrap();
    let blobs = at.store.blobs();
    let (media, published) = import(&path.join(""), MediaKind::Dir, blobs).unwrap();
    assert_eq!((media.kind, media.name.as_str(), media.bytes), (MediaKind::Dir, "photos", 33));
    assert_eq!(published.len(), 6);
    let root = crate::rooted::Root::open(folder.path()).unwrap();
    let publish = |most| publish_folder(&root, "photos".as_ref(), "photos", most, blobs, &|_| Ok(()));
    let _socket = std::os::unix::net::UnixListener::bind(path.join("socket")).unwrap();
    let taken = publish(5).unwrap();
    assert_eq!(taken.media.hash, media.hash, "a param and an output are the same folder");
    let left_out: Vec<_> = taken.left_out.iter().map(|it| (it.path.as_str(), it.what)).collect();
    assert_eq!(left_out, [("photos/socket", "a socket")]);
    assert_eq!(publish(4).unwrap_err(), FileError::from("`photos` holds more than 4 files"));
    std::os::unix::fs::symlink("/etc/passwd", path.join("out")).unwrap();
    let error = publish(9).unwrap_err();
    assert!(
        error.to_string().starts_with("`photos/out`: it is a link that leads out of the folder"),
        "{error}"
    );
    let error = import(&path, MediaKind::Dir, blobs).unwrap_err();
    assert!(error.contains("photos/out`: it is a link that leads out of the folder"), "{error}");
}

#[test]
fn a_folder_that_is_too_deep_is_refused_as_a_param() {
    let (at, folder) = (store(), tempfile::tempdir().unwrap());
    std::fs::create_dir_all(folder.path().join("x/".repeat(66))).unwrap();
    let error = import(folder.path(), MediaKind::Dir, at.store.blobs()).unwrap_err();
    assert!(error.ends_with("is below more than 64 folders; pack it into a file"), "{error}");
}
