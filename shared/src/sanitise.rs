//! Text from outside before it reaches a terminal.
