//! Carries out `Effect::Paint`: fetches, decodes and encodes pictures off the event loop. The newest request goes
//! first; superseded requests are dropped.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use image::DynamicImage;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::ui::message::Response;
use crate::ui::picture::difference::{self, Difference};
use crate::ui::picture::probe::Drawing;
use crate::ui::picture::{DROPPED, Frame, Painted, PictureOf, PictureRequest, encode};

/// How long requests wait for newer ones, so that scrolling doesn't paint pictures that are out of view again.
const SETTLE_TIME: Duration = Duration::from_millis(35);
/// The maximum wait, so that pictures appear during continuous scrolling.
const MAX_WAIT: Duration = Duration::from_millis(150);
/// The maximum number of waiting requests; older ones are dropped.
const MAX_WAITING: usize = 160;
/// The maximum number of concurrent requests.
const MAX_CONCURRENT: usize = 2;
/// How many bytes of decoded pictures are kept, for zooming.
const MAX_DECODED_BYTES: usize = 192 * 1024 * 1024;

/// Fetches the bytes of a picture: its thumbnail, or all of it.
pub(super) type Fetch = Arc<dyn Fn(PictureOf, bool) -> Fetching + Send + Sync>;
/// The bytes, or why they can't be fetched.
pub(super) type Fetching = Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send>>;
/// Sends results to the event loop.
pub(super) type Tell = Box<dyn Fn(Response) + Send>;

/// Paints pictures off the event loop. Ends when dropped.
#[derive(Clone, Debug)]
pub(super) struct Painter {
    requests: UnboundedSender<Request>,
}

#[derive(Debug)]
enum Request {
    Paint(PictureRequest),
    Draw(Drawing),
}

impl Painter {
    /// Starts a painter. Must be called within a runtime.
    #[must_use]
    pub(super) fn start(drawing: Drawing, fetch: Fetch, tell: Tell) -> Self {
        let (requests, wanted) = unbounded_channel();
        let studio = Studio {
            drawing,
            fetch,
            tell,
            waiting: Vec::new(),
            waiting_since: None,
            decoded: Vec::new(),
            ids: first_id(),
        };
        tokio::spawn(studio.work(wanted));
        Self { requests }
    }

    /// Requests a picture; it is returned as [`Response::Painted`] or [`Response::NotPainted`].
    pub(super) fn paint(&self, wanted: PictureRequest) {
        // Only fails when the runtime ends.
        let _ = self.requests.send(Request::Paint(wanted));
    }

    /// Sets how pictures are drawn from now on.
    pub(super) fn begin(&self, drawing: Drawing) {
        let _ = self.requests.send(Request::Draw(drawing));
    }
}

/// Returns the first id, derived from the process id, so that two programs in one terminal don't use the same ids.
fn first_id() -> Arc<AtomicU32> {
    Arc::new(AtomicU32::new((std::process::id() << 12) | 1))
}

struct Studio {
    drawing: Drawing,
    fetch: Fetch,
    tell: Tell,
    /// The newest last.
    waiting: Vec<(Instant, PictureRequest)>,
    /// Since when some picture has waited, whether or not it was dropped since.
    waiting_since: Option<Instant>,
    /// Decoded pictures, the last used at the end.
    decoded: Vec<(PictureOf, Arc<Decoded>)>,
    ids: Arc<AtomicU32>,
}

struct Outcome {
    wanted: PictureRequest,
    painted: Result<Painted, String>,
    decoded: Option<Arc<Decoded>>,
}

/// A picture, or the difference of two.
struct Decoded {
    picture: DynamicImage,
    difference: Option<Difference>,
}

impl Studio {
    async fn work(mut self, mut requests: UnboundedReceiver<Request>) {
        let mut running: JoinSet<Outcome> = JoinSet::new();
        let mut open = true;
        while open || !self.waiting.is_empty() || !running.is_empty() {
            let due = self.due().filter(|_| running.len() < MAX_CONCURRENT);
            let wake = due.unwrap_or_else(Instant::now);
            tokio::select! {
                request = requests.recv(), if open => match request {
                    Some(Request::Paint(wanted)) => self.add(wanted),
                    Some(Request::Draw(drawing)) => self.drawing = drawing,
                    None => return,
                },
                Some(outcome) = running.join_next() => match outcome {
                    Ok(outcome) => self.finished(outcome),
                    // A panic in a decoder only affects its picture.
                    Err(error) => tracing::warn!(%error, "a picture broke its decoder"),
                },
                () = tokio::time::sleep_until(wake), if due.is_some() => {
                    if let Some((_, wanted)) = self.waiting.pop() {
                        let task = self.task(wanted);
                        running.spawn(task);
                    }
                    self.waiting_since.take_if(|_| self.waiting.is_empty());
                }
            }
            open = !requests.is_closed() || !requests.is_empty();
        }
    }

    fn due(&self) -> Option<Instant> {
        let (newest, since) = (self.waiting.last()?.0, self.waiting_since?);
        Some((newest + SETTLE_TIME).min(since + MAX_WAIT))
    }

    fn add(&mut self, wanted: PictureRequest) {
        self.waiting.retain(|(_, it)| {
            // Only the newest part of a zoomed picture is painted.
            let zoomed = !wanted.thumbnail && !it.thumbnail && it.of == wanted.of && it.cells == wanted.cells;
            *it != wanted && !zoomed
        });
        let now = Instant::now();
        self.waiting_since.get_or_insert(now);
        self.waiting.push((now, wanted));
        if self.waiting.len() > MAX_WAITING {
            let (_, dropped) = self.waiting.remove(0);
            (self.tell)(Response::NotPainted(dropped.of, DROPPED.to_owned()));
        }
    }

    fn task(&self, wanted: PictureRequest) -> impl Future<Output = Outcome> + Send + 'static {
        let decoded = self.decoded.iter().find(|(of, _)| !wanted.thumbnail && *of == wanted.of);
        let decoded = decoded.map(|(_, picture)| picture.clone());
        let sources = match wanted.of {
            _ if decoded.is_some() => Vec::new(),
            PictureOf::Difference(a, b) => vec![a.into(), b.into()],
            one => vec![one],
        };
        let fetching: Vec<Fetching> =
            sources.into_iter().map(|of| (self.fetch)(of, wanted.thumbnail)).collect();
        let (drawing, id) = (self.drawing, self.ids.fetch_add(1, Ordering::Relaxed));
        async move {
            let mut bytes = Vec::with_capacity(fetching.len());
            for one in fetching {
                match one.await {
                    Ok(one) => bytes.push(one),
                    Err(error) => return Outcome { wanted, painted: Err(error), decoded: None },
                }
            }
            let made = tokio::task::spawn_blocking(move || make(decoded, bytes, wanted, drawing, id)).await;
            match made {
                Ok((painted, decoded)) => Outcome { wanted, painted, decoded },
                Err(_) => {
                    let painted = Err("the picture broke its decoder".to_owned());
                    Outcome { wanted, painted, decoded: None }
                }
            }
        }
    }

    fn finished(&mut self, outcome: Outcome) {
        let Outcome { wanted, painted, decoded } = outcome;
        if let Some(picture) = decoded.filter(|_| !wanted.thumbnail) {
            self.decoded.retain(|(of, _)| *of != wanted.of);
            self.decoded.push((wanted.of, picture));
            let bytes = |it: &[(PictureOf, Arc<Decoded>)]| -> usize {
                it.iter().map(|(_, it)| it.picture.as_bytes().len()).sum()
            };
            while self.decoded.len() > 1 && bytes(&self.decoded) > MAX_DECODED_BYTES {
                self.decoded.remove(0);
            }
        }
        (self.tell)(match painted {
            Ok(painted) => Response::Painted(Box::new(painted)),
            Err(error) => Response::NotPainted(wanted.of, error),
        });
    }
}

type Made = (Result<Painted, String>, Option<Arc<Decoded>>);

fn make(
    decoded: Option<Arc<Decoded>>,
    bytes: Vec<Vec<u8>>,
    wanted: PictureRequest,
    drawing: Drawing,
    id: u32,
) -> Made {
    let decoded = match decoded.map_or_else(|| decode(&bytes).map(Arc::new), Ok) {
        Ok(decoded) => decoded,
        Err(error) => return (Err(error), None),
    };
    let painted =
        encode::encode(&decoded.picture, wanted, drawing, id).map(|painted| match decoded.difference {
            None => painted,
            difference => with_difference(painted, difference),
        });
    (painted, Some(decoded))
}

/// Decodes a picture, or two of which the difference is wanted.
fn decode(bytes: &[Vec<u8>]) -> Result<Decoded, String> {
    match bytes {
        [a, b] => {
            let (picture, found) = difference::between(&encode::decode(a)?, &encode::decode(b)?)?;
            Ok(Decoded { picture, difference: Some(found) })
        }
        bytes => {
            let bytes = bytes.first().map(Vec::as_slice).unwrap_or_default();
            Ok(Decoded { picture: encode::decode(bytes)?, difference: None })
        }
    }
}

fn with_difference(painted: Painted, difference: Option<Difference>) -> Painted {
    let frame = match Arc::try_unwrap(painted.frame) {
        Ok(frame) => Arc::new(Frame { difference, ..frame }),
        Err(shared) => shared,
    };
    Painted { frame, ..painted }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use fanlight_shared::id::AssetId;

    use super::*;

    fn asset(number: u8) -> AssetId {
        AssetId::from_bytes([number; 16])
    }

    fn png() -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        DynamicImage::new_rgb8(8, 8).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    struct Painting {
        painter: Painter,
        response: UnboundedReceiver<Response>,
        fetched: Arc<Mutex<Vec<PictureOf>>>,
    }

    fn painting(bytes: Vec<u8>) -> Painting {
        let fetched: Arc<Mutex<Vec<PictureOf>>> = Arc::default();
        let log = fetched.clone();
        let fetch: Fetch = Arc::new(move |asset, _| {
            log.lock().unwrap().push(asset);
            let bytes = bytes.clone();
            Box::pin(async move { Ok(bytes) })
        });
        let (tell, response) = unbounded_channel();
        let tell: Tell = Box::new(move |it| {
            let _ = tell.send(it);
        });
        Painting { painter: Painter::start(Drawing::default(), fetch, tell), response, fetched }
    }

    #[tokio::test]
    async fn the_newest_request_goes_first() {
        let mut it = painting(png());
        for number in 1..=4 {
            it.painter.paint(PictureRequest::thumbnail(asset(number), (4, 4)));
        }
        for _ in 0..4 {
            assert!(matches!(it.response.recv().await, Some(Response::Painted(_))));
        }
        assert_eq!(it.fetched.lock().unwrap().first(), Some(&PictureOf::from(asset(4))));
    }

    #[tokio::test]
    async fn requests_without_a_pause_leave_time_to_paint() {
        let mut it = painting(png());
        let began = Instant::now();
        // As a screen with more pictures than can wait: each one that was dropped is requested again.
        for number in (0..=u8::MAX).cycle() {
            it.painter.paint(PictureRequest::thumbnail(asset(number), (4, 4)));
            tokio::task::yield_now().await;
            match it.response.try_recv() {
                Ok(Response::Painted(_)) => return,
                _ => assert!(began.elapsed() < fanlight_shared::testing::TIMEOUT, "nothing is painted"),
            }
        }
    }

    #[tokio::test]
    async fn zooming_fetches_once_and_makes_only_the_newest_part() {
        let mut it = painting(png());
        for part in 1..=5u8 {
            it.painter.paint(PictureRequest::whole(asset(1), (4, 4), [0.0, 0.0, 1.0 / f32::from(part), 1.0]));
        }
        let Some(Response::Painted(painted)) = it.response.recv().await else { panic!("not painted") };
        assert!((painted.wanted.part[2] - 0.2).abs() < 0.001);
        it.painter.paint(PictureRequest::whole(asset(1), (4, 4), crate::ui::picture::WHOLE));
        assert!(matches!(it.response.recv().await, Some(Response::Painted(_))));
        assert_eq!(it.fetched.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_difference_is_made_of_two_pictures_that_are_fetched_once() {
        let mut it = painting(png());
        let of = PictureOf::Difference(asset(1), asset(2));
        for width in [1.0, 0.5] {
            it.painter.paint(PictureRequest::whole(of, (4, 4), [0.0, 0.0, width, 1.0]));
            let Some(Response::Painted(painted)) = it.response.recv().await else { panic!("not painted") };
            let found = painted.frame.difference.unwrap();
            assert_eq!((found.pixels, found.of), (0, 64));
        }
        assert_eq!(*it.fetched.lock().unwrap(), [PictureOf::from(asset(1)), asset(2).into()]);
    }

    #[tokio::test]
    async fn bytes_that_are_not_a_picture_are_reported() {
        let mut it = painting(b"no".to_vec());
        it.painter.paint(PictureRequest::thumbnail(asset(1), (4, 4)));
        assert!(matches!(it.response.recv().await, Some(Response::NotPainted(_, why)) if !why.is_empty()));
    }

    #[tokio::test]
    async fn too_many_requests_drop_the_oldest() {
        let mut it = painting(png());
        for number in 0..=u8::try_from(MAX_WAITING).unwrap() {
            it.painter.paint(PictureRequest::thumbnail(asset(number), (4, 4)));
        }
        let Some(Response::NotPainted(dropped, why)) = it.response.recv().await else {
            panic!("nothing dropped")
        };
        assert_eq!((dropped, why.as_str()), (PictureOf::from(asset(0)), DROPPED));
    }
}
