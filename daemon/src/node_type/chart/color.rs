//! The colours of charts.

use image::Rgba;

use super::scene::Color;

const fn rgb(hex: u32) -> Color {
    let [_, r, g, b] = hex.to_be_bytes();
    Rgba([r, g, b, 255])
}

/// Colours of series: told apart also by those who see red and green alike, and on white as on black.
const SERIES: [Color; 10] = [
    rgb(0x2f_6f_de),
    rgb(0xf2_8e_2b),
    rgb(0x1f_a2_87),
    rgb(0xd6_45_5b),
    rgb(0x8a_63_d2),
    rgb(0xd9_a4_04),
    rgb(0x4b_b0_e8),
    rgb(0xb8_5a_9a),
    rgb(0x78_86_96),
    rgb(0x6a_9a_3a),
];

/// The colours of what is around the data.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Theme {
    pub(super) background: Color,
    pub(super) title: Color,
    pub(super) text: Color,
    pub(super) grid: Color,
    pub(super) axis: Color,
    /// Cells of a heat map without a value.
    pub(super) nothing: Color,
    dark: bool,
}

const LIGHT: Theme = Theme {
    background: rgb(0xff_ff_ff),
    title: rgb(0x16_1c_28),
    text: rgb(0x52_5c_6d),
    grid: rgb(0xe7_ea_f0),
    axis: rgb(0xa4_ad_bb),
    nothing: rgb(0xf2_f3_f6),
    dark: false,
};

const DARK: Theme = Theme {
    background: rgb(0x13_17_20),
    title: rgb(0xf1_f4_f9),
    text: rgb(0xa9_b3_c4),
    grid: rgb(0x29_30_3d),
    axis: rgb(0x5d_68_7a),
    nothing: rgb(0x1c_21_2c),
    dark: true,
};

/// From little to much.
const RAMP: [Color; 6] =
    [rgb(0xee_f4_fb), rgb(0xb9_d6_f0), rgb(0x74_ae_df), rgb(0x36_7f_c4), rgb(0x1a_53_97), rgb(0x0c_2c_5a)];
/// From far below to far above.
const BOTH_WAYS: [Color; 7] = [
    rgb(0x1a_53_97),
    rgb(0x5b_97_d3),
    rgb(0xbd_d6_ee),
    rgb(0xf6_f6_f4),
    rgb(0xf6_cc_b4),
    rgb(0xe0_7c_54),
    rgb(0xa8_32_2a),
];

impl Theme {
    pub(super) fn named(name: &str) -> Self {
        if name == "dark" { DARK } else { LIGHT }
    }

    /// Returns the colour of a share from 0 to 1.
    pub(super) fn ramp(self, share: f64) -> Color {
        mixed(&RAMP, if self.dark { 1.0 - share } else { share })
    }

    /// Returns the colour of a share from 0 to 1, with the middle at 0.5.
    pub(super) fn both_ways(self, share: f64) -> Color {
        mixed(&BOTH_WAYS, share)
    }
}

/// Returns the colour of a series.
pub(super) fn series(nth: usize) -> Color {
    SERIES[nth % SERIES.len()]
}

/// Returns the colour with this opacity.
pub(super) fn sheer(Rgba([r, g, b, _]): Color, opacity: u8) -> Color {
    Rgba([r, g, b, opacity])
}

/// Returns black or white, whichever is easier to read on a colour.
pub(super) fn on(Rgba([r, g, b, _]): Color) -> Color {
    let light = 0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b);
    if light > 150.0 { rgb(0x16_1c_28) } else { rgb(0xff_ff_ff) }
}

fn mixed(stops: &[Color], share: f64) -> Color {
    let place = share.clamp(0.0, 1.0) * (stops.len() - 1) as f64;
    let at = (place as usize).min(stops.len() - 2);
    let part = place - at as f64;
    let channel = |nth: usize| {
        let (from, to) = (f64::from(stops[at].0[nth]), f64::from(stops[at + 1].0[nth]));
        (from + (to - from) * part).round() as u8
    };
    Rgba([channel(0), channel(1), channel(2), 255])
}
