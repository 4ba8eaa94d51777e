use super::*;

fn small(style: &str, seed: i64) -> RgbImage {
    paint(style, 48, 32, seed, "auto").unwrap()
}

#[test]
fn the_same_seed_paints_the_same_and_another_seed_another_picture() {
    for style in STYLES {
        assert_eq!(small(style, 7), small(style, 7), "{style}");
        assert_ne!(small(style, 7), small(style, 8), "{style}");
    }
}

#[test]
fn every_style_uses_a_range_of_light() {
    for style in STYLES {
        for seed in [0, 1, -5, i64::MAX] {
            let picture = small(style, seed);
            let light = |pixel: &Rgb<u8>| pixel.0.iter().map(|it| u32::from(*it)).sum::<u32>();
            let lightest = picture.pixels().map(light).max().unwrap();
            let darkest = picture.pixels().map(light).min().unwrap();
            assert!(lightest - darkest > 150, "{style} {seed}: {darkest}..{lightest}");
        }
    }
}

#[test]
fn the_composition_does_not_depend_on_the_size() {
    let (small, large) =
        (paint("hills", 48, 32, 3, "ocean").unwrap(), paint("hills", 192, 128, 3, "ocean").unwrap());
    let shrunk = image::imageops::resize(&large, 48, 32, image::imageops::FilterType::Triangle);
    let difference: u64 =
        small.as_raw().iter().zip(shrunk.as_raw()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    assert!(difference / (small.as_raw().len() as u64) < 8, "{difference}");
}

#[test]
fn a_picture_beyond_the_limits_is_refused() {
    assert!(paint("plasma", 16_384, 16_384, 1, "auto").unwrap_err().contains("too large"));
}

#[test]
fn every_named_palette_exists_and_differs() {
    let painted: Vec<RgbImage> =
        palette::names()[1..].iter().map(|name| paint("gradient", 8, 8, 1, name).unwrap()).collect();
    for (index, one) in painted.iter().enumerate() {
        assert!(painted[index + 1..].iter().all(|other| other != one));
    }
}
