//! Cleans up pictures that the terminal draws over cells (sixel, iTerm2): a covered picture is removed completely, and
//! the cells of a removed picture are written again, even if their text did not change.

use ratatui::buffer::{Buffer, Cell, CellDiffOption};
use ratatui::layout::Rect;

/// The pictures over cells in the previous frame.
#[derive(Debug, Default)]
pub struct Overlay {
    shown: Vec<Rect>,
}

impl Overlay {
    /// Called with each frame after it is drawn and before it is compared with the previous one. Without such pictures
    /// it only scans the cells.
    pub fn settle(&mut self, buffer: &mut Buffer) {
        let is_first = |cell: &Cell| cell.symbol().starts_with('\u{1b}');
        let drawn_over = |cell: &Cell| is_first(cell) || cell.diff_option == CellDiffOption::Skip;
        if self.shown.is_empty() && !buffer.content.iter().any(drawn_over) {
            return;
        }
        let area = buffer.area;
        let mut now = Vec::new();
        for position in area.positions() {
            if buffer.cell(position).is_some_and(is_first) {
                match size(buffer, position.x, position.y) {
                    Some(place) if is_whole(buffer, place) => now.push(place),
                    Some(place) => blank(buffer, place),
                    None => blank(buffer, Rect::new(position.x, position.y, 1, 1)),
                }
            }
        }
        orphans(buffer, &now);
        for old in self.shown.iter().filter(|old| !now.contains(old)) {
            for position in old.intersection(area).positions() {
                let Some(cell) = buffer.cell_mut(position) else { continue };
                if cell.diff_option == CellDiffOption::None {
                    cell.diff_option = CellDiffOption::AlwaysUpdate;
                }
            }
        }
        self.shown = now;
    }

    /// Forgets what was drawn, after the terminal was cleared.
    pub fn clear(&mut self) {
        self.shown.clear();
    }
}

/// Returns the area of the picture whose first cell is here, read from its data, which first erases its cells row by
/// row.
fn size(buffer: &Buffer, x: u16, y: u16) -> Option<Rect> {
    let data = buffer.cell((x, y))?.symbol();
    let data = data.strip_prefix("\u{1b}Ptmux;").unwrap_or(data);
    let data = data.trim_start_matches('\u{1b}').strip_prefix('[')?;
    let (width, rest) = data.split_once('X')?;
    let width = width.parse().ok()?;
    let mut height = 0u16;
    let mut rest = rest;
    while let Some(after) = rest.trim_start_matches('\u{1b}').strip_prefix("[1B") {
        height += 1;
        let Some((_, next)) = after.split_once('X') else { break };
        rest =
            if after.trim_start_matches('\u{1b}').starts_with(&format!("[{width}X")) { next } else { after };
    }
    Some(Rect::new(x, y, width, height.max(1)))
}

fn is_whole(buffer: &Buffer, place: Rect) -> bool {
    place.intersection(buffer.area) == place
        && place.positions().skip(1).all(|position| {
            buffer.cell(position).is_some_and(|cell| cell.diff_option == CellDiffOption::Skip)
        })
}

fn blank(buffer: &mut Buffer, place: Rect) {
    for position in place.intersection(buffer.area).positions() {
        let Some(cell) = buffer.cell_mut(position) else { continue };
        if cell.diff_option == CellDiffOption::Skip || cell.symbol().starts_with('\u{1b}') {
            cell.reset();
        }
    }
}

/// Restores cells that were skipped for a picture whose first cell is covered.
fn orphans(buffer: &mut Buffer, whole: &[Rect]) {
    for position in buffer.area.positions() {
        let Some(cell) = buffer.cell_mut(position) else { continue };
        if cell.diff_option == CellDiffOption::Skip && !whole.iter().any(|place| place.contains(position)) {
            cell.reset();
        }
    }
}

#[cfg(test)]
mod tests {
    use fanlight_shared::id::AssetId;
    use image::DynamicImage;

    use super::*;
    use crate::ui::model::pictures::Pictures;
    use crate::ui::picture::PictureMode;
    use crate::ui::picture::probe::{Drawing, GraphicsProtocol};
    use crate::ui::picture::{PictureRequest, encode};

    const AREA: Rect = Rect::new(0, 0, 20, 8);
    const PLACE: Rect = Rect::new(2, 1, 8, 4);

    fn pictures(protocol: GraphicsProtocol) -> Pictures {
        let drawing = Drawing { protocol, font: (4, 8), ..Drawing::default() };
        let wanted = PictureRequest::thumbnail(AssetId::from_bytes([1; 16]), (PLACE.width, PLACE.height));
        let mut pictures = Pictures::new(PictureMode::Auto, drawing);
        pictures.painted(&encode::encode(&DynamicImage::new_rgb8(32, 32), wanted, drawing, 1).unwrap());
        pictures
    }

    fn frame(pictures: Option<&Pictures>, over: Option<Rect>) -> Buffer {
        let mut buffer = Buffer::empty(AREA);
        if let Some(pictures) = pictures {
            assert!(pictures.draw(AssetId::from_bytes([1; 16]), PLACE, &mut buffer));
        }
        for position in over.unwrap_or_default().positions() {
            buffer[position].reset();
            buffer[position].set_symbol("#");
        }
        buffer
    }

    #[test]
    fn a_covered_picture_is_removed_and_comes_back() {
        for protocol in [GraphicsProtocol::Sixel, GraphicsProtocol::Iterm] {
            let pictures = pictures(protocol);
            let mut overlay = Overlay::default();
            let mut first = frame(Some(&pictures), None);
            overlay.settle(&mut first);
            assert_eq!(overlay.shown, [PLACE]);

            let mut covered = frame(Some(&pictures), Some(Rect::new(5, 3, 10, 3)));
            overlay.settle(&mut covered);
            assert!(overlay.shown.is_empty());
            let cells: Vec<_> = PLACE.positions().map(|it| covered[it].clone()).collect();
            assert!(cells.iter().all(|cell| cell.diff_option == CellDiffOption::AlwaysUpdate));
            assert!(cells.iter().all(|cell| !cell.symbol().starts_with('\u{1b}')));

            let mut again = frame(Some(&pictures), None);
            overlay.settle(&mut again);
            assert!(covered.diff(&again).iter().any(|(_, _, cell)| cell.symbol().starts_with('\u{1b}')));
        }
    }

    #[test]
    fn the_cells_of_a_removed_picture_are_written_again() {
        let pictures = pictures(GraphicsProtocol::Sixel);
        let mut overlay = Overlay::default();
        let mut shown = frame(Some(&pictures), None);
        overlay.settle(&mut shown);
        let mut gone = frame(None, None);
        overlay.settle(&mut gone);
        assert_eq!(shown.diff(&gone).len(), usize::from(PLACE.width * PLACE.height));
    }
}
