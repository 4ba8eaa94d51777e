//! The sequences that a terminal sends for keys and the mouse.

/// Returns the bytes that a terminal sends for a key: `enter`, `esc`, `tab`, `space`, `ctrl-s`, `up`, or a character.
pub fn bytes(key: &str) -> Vec<u8> {
    match key {
        "enter" => b"\r".to_vec(),
        "esc" => b"\x1b".to_vec(),
        "tab" => b"\t".to_vec(),
        "backtab" => b"\x1b[Z".to_vec(),
        "space" => b" ".to_vec(),
        "backspace" => b"\x7f".to_vec(),
        "up" => b"\x1b[A".to_vec(),
        "down" => b"\x1b[B".to_vec(),
        "right" => b"\x1b[C".to_vec(),
        "left" => b"\x1b[D".to_vec(),
        key => match key.strip_prefix("ctrl-") {
            Some(letter) => vec![letter.as_bytes()[0] & 0x1f],
            None => key.as_bytes().to_vec(),
        },
    }
}

/// A mouse event.
#[derive(Clone, Copy)]
pub enum Mouse {
    /// The left button goes down.
    Down,
    /// It moves with the left button down.
    Drag,
    /// The left button goes up.
    Up,
    /// The wheel, one notch towards the person.
    WheelDown,
    /// The wheel, one notch away.
    WheelUp,
}

impl Mouse {
    /// Returns its sequence at a cell, columns and rows from 0 (SGR).
    pub fn report(self, column: u16, row: u16) -> String {
        let (button, end) = match self {
            Mouse::Down => (0, 'M'),
            Mouse::Drag => (32, 'M'),
            Mouse::Up => (0, 'm'),
            Mouse::WheelUp => (64, 'M'),
            Mouse::WheelDown => (65, 'M'),
        };
        format!("\x1b[<{button};{};{}{end}", column + 1, row + 1)
    }
}
