//! Renders the templates of `text.template`: the same settings as expressions, but a missing variable is an error.

use std::collections::BTreeMap;
use std::io::{self, Write};

use minijinja::machinery::{Token, tokenize};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, ErrorKind, Value as Jinja};

use super::functions::TEMPLATES;
use super::walk::TOKEN_LIMIT;
use super::{Content, FUNCTIONS, convert};
use crate::value::Values;

/// Renders a template with these values, to at most `most` bytes of text.
///
/// # Errors
/// A sentence that says what is wrong: a missing variable, a mistake in the template, too much work or text.
pub fn render(template: &str, values: &Values, most: usize) -> Result<String, String> {
    simple_enough(template)?;
    let content = Content::new(None);
    let context: BTreeMap<&str, Jinja> = values
        .iter()
        .map(|(name, value)| (name.as_str(), convert::to_jinja(value.clone(), &content)))
        .collect();
    let environment: &Environment<'_> = &TEMPLATES;
    let compiled = environment
        .template_from_named_str("template", template)
        .map_err(|error| describe(template, &error))?;
    // A loop over a long text is short work and makes more than fits into memory.
    let mut text = ShortText { bytes: Vec::new(), most, is_full: false };
    match compiled.render_captured_to(Jinja::from_pairs(context), &mut text) {
        Err(_) if text.is_full => Err(format!("the template makes more than {most} bytes of text")),
        Err(error) => Err(describe(template, &error)),
        Ok(_) => String::from_utf8(text.bytes).map_err(|_| "the template does not make UTF-8".into()),
    }
}

/// A text that refuses to become longer than `most`.
struct ShortText {
    bytes: Vec<u8>,
    most: usize,
    is_full: bool,
}

impl Write for ShortText {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.most {
            self.is_full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the variables that a template reads, in alphabetical order.
///
/// # Errors
/// A sentence that says what is wrong with the template.
pub fn template_variables(template: &str) -> Result<Vec<String>, String> {
    simple_enough(template)?;
    let environment: &Environment<'_> = &TEMPLATES;
    let compiled = environment
        .template_from_named_str("template", template)
        .map_err(|error| describe(template, &error))?;
    let mut names: Vec<String> = compiled
        .undeclared_variables(false)
        .into_iter()
        .filter(|name| !FUNCTIONS.contains(&name.as_str()))
        .collect();
    names.sort();
    Ok(names)
}

fn describe(template: &str, error: &minijinja::Error) -> String {
    let line = error.line().map(|line| format!("line {line} of the template: ")).unwrap_or_default();
    let place = error.range().and_then(|range| template.get(range)).map(str::trim).unwrap_or_default();
    match error.kind() {
        ErrorKind::UndefinedError if !place.is_empty() => {
            format!("{line}`{place}` is missing; pass it as an input with that name")
        }
        ErrorKind::OutOfFuel => format!("{line}the template takes too many steps"),
        _ => format!("{line}{}", convert::sentence(error)),
    }
}

/// Refuses long chains and long rows of `elif`, over which minijinja recurses, to keep its stack small.
fn simple_enough(template: &str) -> Result<(), String> {
    if template.len() <= TOKEN_LIMIT {
        // It has no more words and symbols than bytes.
        return Ok(());
    }
    let (mut tokens, mut branches) = (0usize, 0usize);
    for token in tokenize(template, false, SyntaxConfig::default()) {
        match token.map_err(|error| describe(template, &error))?.0 {
            Token::VariableStart | Token::BlockStart => tokens = 0,
            Token::Ident("elif") => branches += 1,
            _ => tokens += 1,
        }
        if tokens > TOKEN_LIMIT || branches > TOKEN_LIMIT {
            return Err("the template has too long an expression or too many `elif`".into());
        }
    }
    Ok(())
}
