//! Tables: aligned columns, with cells that are wrapped where they don't fit.

use super::words::{Word, fill, line_width, render, words};
use crate::output::style::{Paint, Role};
use crate::output::table::{GAP, shrink};

/// Returns the lines of a table of Markdown.
pub(super) fn lines(rows: &[&str], limit: usize, paint: Paint) -> Vec<String> {
    let is_rule = |row: &str| row.chars().all(|it| matches!(it, '|' | '-' | ':' | ' '));
    let rows: Vec<Vec<Vec<Word>>> = rows
        .iter()
        .filter(|row| !is_rule(row))
        .enumerate()
        .map(|(at, row)| {
            let role = if at == 0 { Role::Dim } else { Role::Plain };
            cells(row).into_iter().map(|cell| words(cell, role, paint)).collect()
        })
        .collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut widths = vec![0; columns];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(line_width(cell));
        }
    }
    shrink(&mut widths, limit);
    rows.iter().flat_map(|row| row_lines(row, &widths, paint)).collect()
}

/// Splits a row at its bars, except those in code and escaped ones.
fn cells(row: &str) -> Vec<&str> {
    let inner = row.trim().trim_start_matches('|');
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    let (mut cells, mut start, mut code, mut escaped) = (Vec::new(), 0, false, false);
    for (at, character) in inner.char_indices() {
        match character {
            '`' => code = !code,
            '|' if !code && !escaped => {
                cells.push(inner[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
        escaped = character == '\\';
    }
    cells.push(inner[start..].trim());
    cells
}

fn row_lines(row: &[Vec<Word>], widths: &[usize], paint: Paint) -> Vec<String> {
    let cells: Vec<Vec<Vec<Word>>> =
        row.iter().zip(widths).map(|(cell, width)| fill(cell, "", "", *width)).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    (0..height)
        .map(|at| {
            let mut line = String::new();
            let mut blanks = 0;
            for (cell, width) in cells.iter().zip(widths) {
                let part = cell.get(at).map_or(&[][..], Vec::as_slice);
                if line_width(part) > 0 {
                    line.push_str(&" ".repeat(blanks));
                    line.push_str(&render(part, paint));
                    blanks = 0;
                }
                blanks += width.saturating_sub(line_width(part)) + GAP;
            }
            line
        })
        .collect()
}
