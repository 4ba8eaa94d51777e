//! The frame around the data: title, legend, axes and grid. It leaves a rectangle for the data.

use super::axis::{Axis, Tick};
use super::look::Look;
use super::scene::{Anchor, Area, Color, Scene};
use super::typeset::Type;

/// Around everything, in pixels.
const MARGIN: f32 = 22.0;
pub(super) const TITLE: Type = Type::heavy(25.0);
const SUBTITLE: Type = Type::regular(17.0);
pub(super) const LABEL: Type = Type::regular(15.0);
/// The most room that turned names take below the chart.
const MAX_NAMES: f32 = 120.0;
/// The angle of rotated names, in degrees.
const ANGLE: f32 = -38.0;

/// A chart whose frame is drawn.
pub(super) struct Frame {
    pub(super) scene: Scene,
    /// The area of the data.
    pub(super) plot: Area,
}

/// The parts of a frame.
pub(super) struct Around<'a> {
    pub(super) look: &'a Look,
    pub(super) x: &'a Axis,
    pub(super) y: &'a Axis,
    pub(super) x_label: &'a str,
    pub(super) y_label: &'a str,
    pub(super) legend: Vec<(String, Color)>,
    /// Room to the right of the data.
    pub(super) right: f32,
    /// Whether lines cross the data at the ticks of the x axis, and at those of the y axis.
    pub(super) grid: (bool, bool),
}

/// Returns about how many ticks there is room for along `length` pixels.
pub(super) fn room_for(length: f32, each: f32) -> usize {
    ((length / each) as usize).clamp(2, 12)
}

impl Around<'_> {
    /// Draws the frame.
    pub(super) fn draw(&self) -> Frame {
        let look = self.look;
        let title = if look.title.is_empty() { self.y_label.to_owned() } else { look.title.clone() };
        let mut scene = Scene {
            width: look.width,
            height: look.height,
            background: look.theme.background,
            title,
            shapes: Vec::new(),
        };
        let mut top = self.head(&mut scene);
        if !self.y_label.is_empty() {
            let label = LABEL.fit(self.y_label, look.width - 2.0 * MARGIN);
            scene.text(&label, (MARGIN, top + 12.0), LABEL, look.theme.text, Anchor::Start);
            top += 26.0;
        }
        let widest = self.y.ticks.iter().map(|tick| LABEL.width(&tick.label)).fold(0.0, f32::max);
        let left = MARGIN + widest.min(look.width * 0.3) + 10.0;
        let width = (look.width - left - MARGIN - self.right).max(20.0);
        let names = Names::of(self.x, width);
        let below = names.height() + if self.x_label.is_empty() { 0.0 } else { 24.0 };
        let height = (look.height - top - MARGIN - below).max(20.0);
        let plot = Area { x: left, y: top, width, height };
        self.draw_axes(&mut scene, plot, &names);
        Frame { scene, plot }
    }

    /// Draws title and legend. Returns where what follows begins.
    fn head(&self, scene: &mut Scene) -> f32 {
        let look = self.look;
        let room = look.width - 2.0 * MARGIN;
        let mut top = MARGIN;
        if !look.title.trim().is_empty() {
            let mut ty = TITLE;
            while ty.size > 18.0 && ty.width(&look.title) > room {
                ty.size -= 1.0;
            }
            scene.text(&ty.fit(&look.title, room), (MARGIN, top + 18.0), ty, look.theme.title, Anchor::Start);
            top += 30.0;
        }
        if !look.subtitle.trim().is_empty() {
            scene.text(
                &SUBTITLE.fit(&look.subtitle, room),
                (MARGIN, top + 13.0),
                SUBTITLE,
                look.theme.text,
                Anchor::Start,
            );
            top += 24.0;
        }
        if top > MARGIN {
            top += 6.0;
        }
        if self.legend.len() > 1 {
            top = self.draw_legend(scene, top, room);
        }
        top
    }

    /// Draws the legend, in as many lines as it needs up to a third of the picture.
    fn draw_legend(&self, scene: &mut Scene, top: f32, room: f32) -> f32 {
        let (mut x, mut y) = (MARGIN, top);
        for (at, (name, color)) in self.legend.iter().enumerate() {
            let name = LABEL.fit(name, (room / 2.0).min(220.0));
            let width = 18.0 + LABEL.width(&name);
            if x > MARGIN && x + width > MARGIN + room {
                (x, y) = (MARGIN, y + 22.0);
                if y + 44.0 > self.look.height / 3.0 {
                    let more = format!("and {} more", self.legend.len() - at);
                    scene.text(&more, (x, y + 12.0), LABEL, self.look.theme.text, Anchor::Start);
                    break;
                }
            }
            scene.rect(Area { x, y: y + 1.0, width: 12.0, height: 12.0 }, 3.0, *color);
            scene.text(&name, (x + 18.0, y + 12.0), LABEL, self.look.theme.text, Anchor::Start);
            x += width + 18.0;
        }
        y + 34.0
    }

    fn draw_axes(&self, scene: &mut Scene, plot: Area, names: &Names) {
        let theme = self.look.theme;
        let (grid_x, grid_y) = self.grid;
        let between = plot.height / self.y.ticks.len().max(1) as f32;
        let every = if self.y.bands { (LABEL.size / between).ceil().max(1.0) as usize } else { 1 };
        // From the top, where the last tick is and people begin to read.
        for (nth, tick) in self.y.ticks.iter().rev().enumerate() {
            // On the middle of a pixel, so that the line is sharp.
            let y = (plot.bottom() - tick.at * plot.height).floor() + 0.5;
            if grid_y && !self.y.bands {
                scene.line(vec![(plot.x, y), (plot.right(), y)], 1.0, theme.grid);
            }
            if nth % every == 0 {
                let label = LABEL.fit(&tick.label, plot.x - MARGIN - 7.0);
                scene.text(&label, (plot.x - 10.0, y + LABEL.middle()), LABEL, theme.text, Anchor::End);
            }
        }
        for tick in &self.x.ticks {
            let x = (plot.x + tick.at * plot.width).floor() + 0.5;
            if grid_x && !self.x.bands {
                scene.line(vec![(x, plot.y), (x, plot.bottom())], 1.0, theme.grid);
            }
        }
        names.draw(scene, self.x, plot, theme.text);
        if !self.x_label.is_empty() {
            let label = LABEL.fit(self.x_label, plot.width);
            let at = (plot.x + plot.width / 2.0, plot.bottom() + names.height() + 16.0);
            scene.text(&label, at, LABEL, theme.text, Anchor::Middle);
        }
    }

    /// Draws the line at which an axis begins, over the data: across at a share of the height, or down at one of the
    /// width.
    pub(super) fn base(&self, frame: &mut Frame, down: bool, share: f32) {
        let Area { x, y, width, height } = frame.plot;
        let color = self.look.theme.axis;
        if down {
            let x = (x + share * width).floor() + 0.5;
            frame.scene.line(vec![(x, y), (x, y + height)], 1.0, color);
        } else {
            let y = (y + height - share * height).floor() + 0.5;
            frame.scene.line(vec![(x, y), (x + width, y)], 1.0, color);
        }
    }
}

/// The layout of the labels of the x axis.
enum Names {
    /// Below each other's, every how manyth.
    Flat { every: usize },
    /// Over several lines each.
    Wrapped { lines: Vec<Vec<String>> },
    /// Turned, each no longer than this, every how manyth.
    Turned { every: usize, most: f32 },
}

/// From one line of a name to the next.
const LINE: f32 = 17.0;
/// The most lines of a name.
const MAX_LINES: usize = 3;

impl Names {
    fn of(axis: &Axis, width: f32) -> Self {
        let count = axis.ticks.len().max(1);
        let widest = axis.ticks.iter().map(|tick| LABEL.width(&tick.label)).fold(0.0, f32::max);
        if !axis.bands {
            // Numbers and times are few; those that would touch are left out.
            let between =
                axis.ticks.windows(2).map(|pair| (pair[1].at - pair[0].at) * width).fold(f32::MAX, f32::min);
            let every = ((widest + 14.0) / between.max(1.0)).ceil() as usize;
            return Self::Flat { every: every.clamp(1, count) };
        }
        let band = width / count as f32;
        if widest + 8.0 <= band {
            return Self::Flat { every: 1 };
        }
        let lines: Option<Vec<Vec<String>>> =
            axis.ticks.iter().map(|tick| wrapped(&tick.label, band - 8.0)).collect();
        if let Some(lines) = lines {
            return Self::Wrapped { lines };
        }
        // Short names, such as years, are rather left out than turned.
        if widest < 40.0 && count > 12 {
            return Self::Flat { every: ((widest + 12.0) / band).ceil() as usize };
        }
        let (sin, _) = ANGLE.to_radians().abs().sin_cos();
        let every = (LABEL.size / band).ceil().max(1.0) as usize;
        Self::Turned { every, most: (widest + 2.0).min(MAX_NAMES / sin) }
    }

    /// Returns the height that they take below the data.
    fn height(&self) -> f32 {
        match self {
            Self::Flat { .. } => 26.0,
            Self::Wrapped { lines } => {
                26.0 + LINE * (lines.iter().map(Vec::len).max().unwrap_or(1).saturating_sub(1)) as f32
            }
            Self::Turned { most, .. } => most * ANGLE.to_radians().abs().sin() + 24.0,
        }
    }

    fn draw(&self, scene: &mut Scene, axis: &Axis, plot: Area, color: Color) {
        let every = match self {
            Self::Flat { every } | Self::Turned { every, .. } => *every,
            Self::Wrapped { .. } => 1,
        };
        for (nth, Tick { at, label }) in axis.ticks.iter().enumerate().step_by(every) {
            let (x, y) = (plot.x + at * plot.width, plot.bottom() + 19.0);
            match self {
                Self::Flat { .. } => {
                    // None reaches over the edge of the picture.
                    let half = LABEL.width(label) / 2.0;
                    let x = x.min(scene.width - 4.0 - half).max(4.0 + half);
                    scene.text(label, (x, y), LABEL, color, Anchor::Middle);
                }
                Self::Wrapped { lines } => {
                    for (line, text) in lines[nth].iter().enumerate() {
                        scene.text(text, (x, y + line as f32 * LINE), LABEL, color, Anchor::Middle);
                    }
                }
                Self::Turned { most, .. } => {
                    let label = LABEL.fit(label, *most);
                    scene.turned(&label, (x + 4.0, y - 2.0), LABEL, color, Anchor::End, ANGLE);
                }
            }
        }
    }
}

/// Returns the lines of a name, none wider than `most`; none where that takes too many lines, or a word is too long.
fn wrapped(name: &str, most: f32) -> Option<Vec<String>> {
    let mut lines: Vec<String> = Vec::new();
    for word in name.split_whitespace() {
        let joined = lines.last().map(|line| format!("{line} {word}"));
        match joined.filter(|it| LABEL.width(it) <= most) {
            Some(joined) => {
                lines.pop();
                lines.push(joined);
            }
            None if LABEL.width(word) <= most && lines.len() < MAX_LINES => lines.push(word.to_owned()),
            None => return None,
        }
    }
    Some(lines)
}
