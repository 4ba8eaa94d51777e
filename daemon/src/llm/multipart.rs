//! A form with files, as the body of a request.

use fanlight_shared::id::BlobHash;

/// A form that is written. Names and file names are chosen by Fanlight, so that nothing in them needs quoting.
pub(crate) struct Form {
    boundary: String,
    body: Vec<u8>,
}

impl Form {
    /// Begins a form with these bytes among its files. The boundary follows from them, so that it is not in them.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self { boundary: format!("fanlight-{}", BlobHash::of(bytes)), body: Vec::new() }
    }

    /// Adds a field.
    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        self.head(&format!("name=\"{name}\""), None);
        self.body.extend_from_slice(value.as_bytes());
        self.body.extend_from_slice(b"\r\n");
        self
    }

    /// Adds a file.
    pub(crate) fn file(mut self, name: &str, file_name: &str, mime: &str, bytes: &[u8]) -> Self {
        self.head(&format!("name=\"{name}\"; filename=\"{file_name}\""), Some(mime));
        self.body.extend_from_slice(bytes);
        self.body.extend_from_slice(b"\r\n");
        self
    }

    /// Returns the content type and the body.
    pub(crate) fn finish(&self) -> (String, Vec<u8>) {
        let body = [&self.body, format!("--{}--\r\n", self.boundary).as_bytes()].concat();
        (format!("multipart/form-data; boundary={}", self.boundary), body)
    }

    fn head(&mut self, what: &str, mime: Option<&str>) {
        let mut head = format!("--{}\r\nContent-Disposition: form-data; {what}\r\n", self.boundary);
        if let Some(mime) = mime {
            head.push_str(&format!("Content-Type: {mime}\r\n"));
        }
        self.body.extend_from_slice(head.as_bytes());
        self.body.extend_from_slice(b"\r\n");
    }
}
