use super::*;

struct Story {
    folder: tempfile::TempDir,
    log: LogWriter,
}

impl Story {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = LogWriter::new(folder.path().to_owned());
        Self { folder, log }
    }
    fn out(&mut self, text: &[u8]) -> &mut Self {
        self.log.write(StreamTag::Stdout, text);
        self
    }
    fn err(&mut self, text: &[u8]) -> &mut Self {
        self.log.write(StreamTag::Stderr, text);
        self
    }
    fn read(&self, offset: u64, limit: u32) -> LogPart {
        read(self.folder.path(), offset, limit).unwrap()
    }
    fn bytes_on_disk(&self) -> u64 {
        let size = |name: &String| self.folder.path().join(name).metadata().unwrap().len();
        files(self.folder.path()).unwrap().iter().map(|(_, name)| size(name)).sum()
    }
}

/// Returns output in which every byte depends on its offset.
fn pattern(from: u64, length: usize) -> Vec<u8> {
    (from..).take(length).map(|offset| (offset % 251) as u8).collect()
}

#[test]
fn streams_keep_their_order_and_tags() {
    let mut story = Story::new();
    story.out(b"one ").out(b"two ").err(b"oops").out(b" three");
    let part = story.read(0, 1000);
    let expected =
        [(StreamTag::Stdout, "one two "), (StreamTag::Stderr, "oops"), (StreamTag::Stdout, " three")];
    assert_eq!(part.pieces, expected.map(|(tag, text)| (tag, text.as_bytes().to_vec())));
    assert_eq!((part.offset, part.next, part.end), (0, 18, 18));
}

#[test]
fn a_reader_continues_where_it_stopped() {
    let mut story = Story::new();
    story.out(b"abcdef").err(b"ghi");
    let part = story.read(0, 4);
    assert_eq!((part.pieces, part.next), (vec![(StreamTag::Stdout, b"abcd".to_vec())], 4));
    let part = story.read(4, 100);
    assert_eq!(part.pieces, vec![(StreamTag::Stdout, b"ef".to_vec()), (StreamTag::Stderr, b"ghi".to_vec())]);
    assert_eq!((part.offset, part.next), (4, 9));
    let part = story.read(part.next, 100);
    assert_eq!((part.pieces.len(), part.offset, part.next, part.end), (0, 9, 9, 9));
    assert_eq!(story.read(500, 100).offset, 9);
}

#[test]
fn without_output_the_log_is_empty_and_without_a_folder_it_is_an_error() {
    let story = Story::new();
    assert_eq!(story.read(0, 10), LogPart { offset: 0, pieces: Vec::new(), next: 0, end: 0 });
    assert!(read(&story.folder.path().join("gone"), 0, 10).is_err());
}

#[test]
fn a_long_log_keeps_its_beginning_and_its_end_at_their_true_offsets() {
    let mut story = Story::new();
    let mut end = 0;
    while end < 10 << 20 {
        story.out(&pattern(end, 60_000));
        end += 60_000;
    }
    assert!(story.bytes_on_disk() <= 3 * (FILE + 65_000), "{}", story.bytes_on_disk());
    let mut seen = 0;
    let mut jumps = 0;
    let mut next = 0;
    loop {
        let part = story.read(next, 100_000);
        assert_eq!(part.end, end);
        jumps += u32::from(part.offset != next);
        let bytes: Vec<u8> = part.pieces.into_iter().flat_map(|(_, bytes)| bytes).collect();
        assert_eq!(bytes, pattern(part.offset, bytes.len()));
        assert_eq!(part.next, part.offset + bytes.len() as u64);
        if bytes.is_empty() {
            break;
        }
        seen += bytes.len() as u64;
        next = part.next;
    }
    assert_eq!((next, jumps), (end, 1));
    assert!(seen >= 2 * FILE - 100, "{seen}");
    assert!(story.read(end - FILE + 100, 10).offset == end - FILE + 100, "the last 512 KiB are there");
}

#[test]
fn a_record_that_is_being_written_is_read_up_to_its_end() {
    let mut story = Story::new();
    story.out(b"whole");
    let mut bytes = std::fs::read(story.folder.path().join("log")).unwrap();
    bytes.extend([2, 10, 0, 0, 0, b'h', b'a']);
    std::fs::write(story.folder.path().join("log"), bytes).unwrap();
    let part = story.read(0, 100);
    assert_eq!(
        part.pieces,
        vec![(StreamTag::Stdout, b"whole".to_vec()), (StreamTag::Stderr, b"ha".to_vec())]
    );
    assert_eq!(part.end, 7);
}

#[test]
fn stdout_is_truncated_at_a_mebibyte_and_marked() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = Stdout { bytes: Vec::new(), truncated: false, masked: false };
    assert_eq!(stdout(folder.path()).unwrap(), nothing);
    let mut writer = StdoutWriter::new(folder.path(), STDOUT);
    writer.write(&vec![b'x'; 1 << 20]);
    assert_eq!(
        stdout(folder.path()).unwrap(),
        Stdout { bytes: vec![b'x'; 1 << 20], truncated: false, masked: false }
    );
    writer.write(b"yz");
    writer.write(&vec![b'z'; 1 << 20]);
    assert_eq!(
        stdout(folder.path()).unwrap(),
        Stdout { bytes: vec![b'x'; 1 << 20], truncated: true, masked: false }
    );
    assert_eq!(folder.path().join("stdout").metadata().unwrap().len(), STDOUT + 1);
}

#[test]
fn a_link_in_place_of_a_log_or_its_folder_is_neither_written_nor_read() {
    let temp = tempfile::tempdir().unwrap();
    let (folder, victim) = (temp.path().join("attempt"), temp.path().join("victim"));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(&victim, "precious").unwrap();
    for name in ["log", "stdout"] {
        std::os::unix::fs::symlink(&victim, folder.join(name)).unwrap();
    }
    LogWriter::new(folder.clone()).write(StreamTag::Stdout, b"said");
    StdoutWriter::new(&folder, STDOUT).write(b"said");
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
    assert!(read(&folder, 0, 100).is_err() && stdout(&folder).is_err());
    // The folder itself.
    let moved = temp.path().join("moved");
    std::fs::create_dir(&moved).unwrap();
    let link = temp.path().join("link");
    std::os::unix::fs::symlink(&moved, &link).unwrap();
    LogWriter::new(link.clone()).write(StreamTag::Stdout, b"said");
    assert_eq!(std::fs::read_dir(&moved).unwrap().count(), 0);
    std::fs::write(moved.join("stdout"), "x").unwrap();
    assert!(stdout(&link).is_err());
}
