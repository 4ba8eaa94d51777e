//! The loop: drains whatever waits, updates, carries out effects, paints once, at most 60 times a second, keys at once,
//! nothing when nothing changed. PLACEHOLDER.
