use image::DynamicImage;

use super::*;
use crate::ui::picture::encode;

fn asset(number: u8) -> PictureOf {
    fanlight_shared::id::AssetId::from_bytes([number; 16]).into()
}

fn kitty() -> Drawing {
    Drawing { protocol: GraphicsProtocol::Kitty, font: (4, 8), ..Drawing::default() }
}

fn paint(pictures: &mut Pictures, wanted: PictureRequest, id: u32) -> Vec<Effect> {
    let painted = encode::encode(&DynamicImage::new_rgb8(64, 64), wanted, pictures.drawing(), id);
    pictures.painted(&painted.unwrap())
}

#[test]
fn a_picture_is_requested_once() {
    let mut pictures = Pictures::default();
    let wanted = PictureRequest::thumbnail(asset(1), (8, 4));
    assert_eq!(pictures.want([wanted]), [Effect::Paint(wanted)]);
    assert_eq!(pictures.want([wanted]), []);
    paint(&mut pictures, wanted, 1);
    assert_eq!(pictures.want([wanted]), []);
    let larger = PictureRequest::thumbnail(asset(1), (16, 8));
    assert_eq!(pictures.want([larger]), [Effect::Paint(larger)]);
}

#[test]
fn the_old_picture_stays_until_the_new_one_is_there() {
    let mut pictures = Pictures::default();
    let wanted = PictureRequest::thumbnail(asset(1), (8, 4));
    paint(&mut pictures, wanted, 1);
    let area = Rect::new(0, 0, 20, 10);
    let mut buffer = Buffer::empty(area);
    pictures.want([PictureRequest::thumbnail(asset(1), (20, 10))]);
    assert!(pictures.draw(asset(1), area, &mut buffer));
    assert!(!pictures.draw(asset(2), area, &mut buffer));
}

#[test]
fn a_failed_picture_is_not_requested_again_until_it_may_succeed() {
    let mut pictures = Pictures::default();
    let wanted = PictureRequest::thumbnail(asset(1), (8, 4));
    pictures.want([wanted]);
    pictures.not_painted(asset(1), "no picture");
    assert_eq!(pictures.want([wanted]), []);
    assert_eq!(pictures.error(asset(1)), Some("no picture"));
    pictures.forget(asset(1));
    assert_eq!(pictures.want([wanted]), [Effect::Paint(wanted)]);
    pictures.not_painted(asset(1), DROPPED);
    assert_eq!(pictures.want([wanted]), [Effect::Paint(wanted)]);
}

#[test]
fn kitty_deletes_dropped_pictures_and_at_the_end_all() {
    let mut pictures = Pictures::new(PictureMode::Auto, kitty());
    let sent = paint(&mut pictures, PictureRequest::thumbnail(asset(1), (8, 4)), 11);
    assert!(matches!(&sent[..], [Effect::Terminal(bytes)] if bytes.contains("i=11,")));
    paint(&mut pictures, PictureRequest::thumbnail(asset(2), (8, 4)), 12);
    assert!(pictures.again().unwrap().contains("i=12,"));
    pictures.forget(asset(1));
    let sent = pictures.shown();
    assert!(matches!(sent, Some(Effect::Terminal(bytes)) if &*bytes == "\u{1b}_Ga=d,d=I,i=11,q=2\u{1b}\\"));
    assert_eq!(&*pictures.farewell().unwrap(), "\u{1b}_Ga=d,d=I,i=12,q=2\u{1b}\\");
}

#[test]
fn a_zoomed_picture_replaces_the_previous_one() {
    let mut pictures = Pictures::new(PictureMode::Auto, kitty());
    paint(&mut pictures, PictureRequest::whole(asset(1), (8, 4), crate::ui::picture::WHOLE), 1);
    paint(&mut pictures, PictureRequest::whole(asset(1), (8, 4), [0.0, 0.0, 0.5, 0.5]), 2);
    assert!(matches!(pictures.shown(), Some(Effect::Terminal(bytes)) if bytes.contains("i=1,")));
    assert_eq!(pictures.pixels(asset(1)), Some((64, 64)));
}

#[test]
fn the_least_recently_used_pictures_are_dropped_first() {
    let mut pictures = Pictures::new(PictureMode::Auto, Drawing { font: (16, 32), ..kitty() });
    let wanted = |number| PictureRequest::thumbnail(asset(number), (100, 50));
    for number in 1..=30 {
        paint(&mut pictures, wanted(number), u32::from(number));
        pictures.shown();
    }
    assert!(pictures.bytes <= MAX_BYTES);
    assert!(!pictures.ready.contains_key(&asset(1)) && pictures.ready.contains_key(&asset(30)));
}

#[test]
fn nothing_is_requested_if_pictures_are_off() {
    let mut pictures = Pictures::new(PictureMode::Off, Drawing::default());
    assert_eq!(pictures.want([PictureRequest::thumbnail(asset(1), (8, 4))]), []);
}
