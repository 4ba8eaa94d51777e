//! Palettes: a few colours from dark to light, blended in OKLab, which is perceptually uniform.

use super::noise::lerp;
use fanlight_shared::rng::Rng;

/// Linear red, green and blue, 0..1.
pub(super) type Linear = [f32; 3];

const PALETTES: [(&str, &[u32]); 9] = [
    ("sunset", &[0x1a_10_33, 0x4a_1a_5c, 0x9b_2a_6b, 0xe0_52_5a, 0xf8_9a_4f, 0xff_e3_a3]),
    ("ocean", &[0x04_16_2b, 0x06_3f_63, 0x0d_78_8f, 0x36_b5_a8, 0xa6_e3_c8, 0xf6_fb_e8]),
    ("forest", &[0x0b_1d_18, 0x14_3d_2f, 0x2f_72_4c, 0x86_ad_5a, 0xdc_d0_83, 0xfb_f3_d6]),
    ("aurora", &[0x0c_0a_26, 0x35_1c_6e, 0x2d_58_a8, 0x23_ac_a5, 0x8c_ea_9a, 0xf0_ff_d6]),
    ("ember", &[0x14_07_0c, 0x4c_0c_18, 0xa3_21_1f, 0xef_5f_23, 0xfd_b4_4b, 0xff_f2_c6]),
    ("lavender", &[0x1c_19_38, 0x47_3c_88, 0x86_70_c6, 0xce_a5_de, 0xf7_d0_d9, 0xff_f4_ea]),
    ("candy", &[0x1f_0d_47, 0x6a_1f_a8, 0xd6_25_93, 0xff_66_7d, 0xff_b3_8a, 0xff_f0_d4]),
    ("desert", &[0x1e_1b_2e, 0x4b_34_50, 0x9c_4f_4f, 0xd9_84_57, 0xf0_c0_83, 0xfb_ee_d3]),
    ("ink", &[0x0c_0f_15, 0x26_2f_3c, 0x56_63_72, 0x9c_a7_b0, 0xdd_de_d8, 0xfa_f8_f1]),
];

/// Returns the names that the node type accepts.
pub(super) fn names() -> Vec<&'static str> {
    std::iter::once("auto").chain(PALETTES.iter().map(|(name, _)| *name)).collect()
}

const STEPS: usize = 512;

/// A precomputed palette.
pub(super) struct Palette(Vec<Linear>);

impl Palette {
    /// Returns the palette of this name; for any other name, the generator chooses. It draws a number in both cases, so
    /// that the shapes don't depend on the colours.
    pub(super) fn named(name: &str, rng: &mut Rng) -> Self {
        let chosen = rng.pick(&PALETTES).1;
        let stops = PALETTES.iter().find(|it| it.0 == name).map_or(chosen, |it| it.1);
        let lab: Vec<[f32; 3]> = stops.iter().map(|rgb| to_lab(linear(*rgb))).collect();
        let steps = (0..=STEPS).map(|step| {
            let at = step as f32 / STEPS as f32 * (lab.len() - 1) as f32;
            let stop = (at as usize).min(lab.len() - 2);
            let t = at - stop as f32;
            from_lab([0, 1, 2].map(|i| lerp(lab[stop][i], lab[stop + 1][i], t)))
        });
        Self(steps.collect())
    }

    /// Returns the colour at `t`: 0 is the darkest, 1 the lightest.
    #[inline]
    pub(super) fn at(&self, t: f32) -> Linear {
        let at = t.clamp(0.0, 1.0) * STEPS as f32;
        let step = (at as usize).min(STEPS - 1);
        mix(self.0[step], self.0[step + 1], at - step as f32)
    }
}

/// Returns three channels. `array::map` may stay a call, which costs more here than what is calculated.
#[inline]
pub(super) fn channels(of: impl Fn(usize) -> f32) -> [f32; 3] {
    [of(0), of(1), of(2)]
}

#[inline]
pub(super) fn mix(a: Linear, b: Linear, t: f32) -> Linear {
    channels(|i| lerp(a[i], b[i], t))
}

#[inline]
pub(super) fn scale(colour: Linear, by: f32) -> Linear {
    channels(|i| colour[i] * by)
}

#[inline]
pub(super) fn add(a: Linear, b: Linear) -> Linear {
    channels(|i| a[i] + b[i])
}

fn linear(rgb: u32) -> Linear {
    [16, 8, 0].map(|shift| {
        let it = ((rgb >> shift) & 255) as f32 / 255.0;
        if it <= 0.04045 { it / 12.92 } else { ((it + 0.055) / 1.055).powf(2.4) }
    })
}

/// Returns the sRGB colour, 0..255, not rounded.
#[inline]
pub(super) fn display(colour: Linear) -> [f32; 3] {
    channels(|i| {
        let it = colour[i].clamp(0.0, 1.0);
        255.0 * if it <= 0.003_130_8 { it * 12.92 } else { 1.055 * it.powf(1.0 / 2.4) - 0.055 }
    })
}

pub(super) fn to_lab([r, g, b]: Linear) -> [f32; 3] {
    let l = (0.412_221_46 * r + 0.536_332_55 * g + 0.051_445_995 * b).cbrt();
    let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
    let s = (0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b).cbrt();
    [
        0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
        1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
        0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
    ]
}

pub(super) fn from_lab([lightness, a, b]: [f32; 3]) -> Linear {
    let l = (lightness + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
    let m = (lightness - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
    let s = (lightness - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
    [
        4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s,
        -1.268_438 * l + 2.609_757_4 * m - 0.341_319_38 * s,
        -0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s,
    ]
    .map(|it| it.clamp(0.0, 1.0))
}
