//! The desk: so many looks at once, some in a queue, none more than a visitor may have; and a look that was just made is
//! told again instead of made again.
//!
//! Who asks while the same is being looked at gets that look (single flight). A look goes on when its visitor has gone: the
//! next one gets it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gateway::rate::Rates;
use tokio::sync::{Semaphore, watch};

use super::kept::Kept;
use super::question::Question;
use super::refusal::Refusal;

/// Looks that are kept.
const MOST_KEPT: usize = 256;
/// For each one that runs, so many may wait.
const WAITING_FOR_EACH: usize = 4;
/// How long one waits for a seat.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came of a look.
type Outcome = Result<Arc<Kept>, Refusal>;

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// New looks a minute of one address, or of one IPv6 /64.
    pub per_minute: u32,
    /// Looks that run at once.
    pub at_once: usize,
    /// How long a look is told again.
    pub keep: Duration,
}

/// What looks at a host.
type Look = Arc<dyn Fn(&Question) -> Result<Kept, Refusal> + Send + Sync>;

/// The desk.
pub struct Desk {
    pace: Pace,
    rates: Rates,
    seats: Arc<Semaphore>,
    shelf: Arc<Mutex<HashMap<String, Place>>>,
    look: Look,
}

/// What is known of a question.
enum Place {
    /// It is being looked at.
    Running(watch::Receiver<Option<Outcome>>),
    /// It was looked at then.
    Kept(Instant, Arc<Kept>),
}

impl Desk {
    /// A desk at which `look` makes the looks, each on a thread of its own.
    pub fn new(
        pace: Pace,
        look: impl Fn(&Question) -> Result<Kept, Refusal> + Send + Sync + 'static,
    ) -> Self {
        Self {
            pace,
            rates: Rates::new(),
            seats: Arc::new(Semaphore::new(pace.at_once)),
            shelf: Arc::default(),
            look: Arc::new(look),
        }
    }

    /// How long a look is told again.
    pub fn keeps_for(&self) -> Duration {
        self.pace.keep
    }

    /// What is seen of it, for whoever asks from this address. Must be called on a runtime.
    pub async fn ask(&self, question: &Question, from: IpAddr) -> Outcome {
        let mut running = match self.place(question, from)? {
            Place::Kept(_, kept) => return Ok(kept),
            Place::Running(running) => running,
        };
        let told = running.wait_for(Option::is_some).await;
        told.ok().and_then(|outcome| outcome.clone()).unwrap_or(Err(Refusal::Failed))
    }

    /// What there is of it; where there is nothing, a look is begun.
    fn place(&self, question: &Question, from: IpAddr) -> Result<Place, Refusal> {
        let (key, now) = (question.key(), Instant::now());
        let mut shelf = lock(&self.shelf);
        match shelf.get(&key) {
            Some(Place::Running(running)) => return Ok(Place::Running(running.clone())),
            Some(Place::Kept(at, kept)) if now.duration_since(*at) < self.pace.keep => {
                return Ok(Place::Kept(*at, kept.clone()));
            }
            _ => {}
        }
        self.rates.take(gateway::prefix(from), self.pace.per_minute, now).map_err(Refusal::TooOften)?;
        let running = shelf.values().filter(|place| matches!(place, Place::Running(_))).count();
        if running >= self.pace.at_once * (1 + WAITING_FOR_EACH) {
            return Err(Refusal::Busy);
        }
        let (told, running) = watch::channel(None);
        shelf.insert(key, Place::Running(running.clone()));
        drop(shelf);
        tokio::spawn(look(Work {
            question: question.clone(),
            seats: self.seats.clone(),
            shelf: self.shelf.clone(),
            look: self.look.clone(),
            is_kept: !self.pace.keep.is_zero(),
            told,
        }));
        Ok(Place::Running(running))
    }
}

/// One look to make.
struct Work {
    question: Question,
    seats: Arc<Semaphore>,
    shelf: Arc<Mutex<HashMap<String, Place>>>,
    look: Look,
    is_kept: bool,
    told: watch::Sender<Option<Outcome>>,
}

async fn look(work: Work) {
    let Work { question, seats, shelf, look, is_kept, told } = work;
    let key = question.key();
    let outcome = match tokio::time::timeout(PATIENCE, seats.acquire_owned()).await {
        Ok(Ok(seat)) => {
            let looked = tokio::task::spawn_blocking(move || {
                let looked = look(&question);
                drop(seat);
                looked
            });
            // A look that panics ends itself alone.
            looked.await.unwrap_or(Err(Refusal::Failed)).map(Arc::new)
        }
        _ => Err(Refusal::Busy),
    };
    let mut shelf = lock(&shelf);
    match &outcome {
        Ok(kept) if is_kept => {
            make_room(&mut shelf);
            shelf.insert(key, Place::Kept(Instant::now(), kept.clone()));
        }
        _ => {
            shelf.remove(&key);
        }
    }
    drop(shelf);
    // Nobody may be waiting any more.
    let _ = told.send(Some(outcome));
}

/// The oldest go where there are too many.
fn make_room(shelf: &mut HashMap<String, Place>) {
    loop {
        let kept = shelf.iter().filter_map(|(key, place)| match place {
            Place::Kept(at, _) => Some((*at, key)),
            Place::Running(_) => None,
        });
        let kept: Vec<_> = kept.collect();
        let oldest = kept.iter().min_by_key(|(at, _)| *at).map(|(_, key)| (*key).clone());
        match oldest {
            Some(key) if kept.len() >= MOST_KEPT => shelf.remove(&key),
            _ => return,
        };
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::question::{Ports, Rules};
    use super::*;

    fn question(host: &str) -> Question {
        Question::read(host, "", &Rules { ports: Ports::Any, inner_names: true }).unwrap()
    }

    fn from(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    fn pace(per_minute: u32, at_once: usize, keep: u64) -> Pace {
        Pace { per_minute, at_once, keep: Duration::from_secs(keep) }
    }

    /// A desk that counts its looks; each waits for `hold`.
    fn desk(pace: Pace, hold: Option<Arc<Barrier>>) -> (Desk, Arc<AtomicUsize>) {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        let desk = Desk::new(pace, move |question| {
            counted.fetch_add(1, Ordering::SeqCst);
            if let Some(hold) = &hold {
                hold.wait();
            }
            Ok(Kept::empty(question.clone()))
        });
        (desk, count)
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    #[test]
    fn a_look_is_told_again_while_it_is_kept_and_made_again_where_nothing_is_kept() {
        for (keep, looks) in [(60, 1), (0, 3)] {
            let (desk, count) = desk(pace(60, 2, keep), None);
            run(async {
                for _ in 0..3 {
                    desk.ask(&question("a.example"), from("192.0.2.1")).await.unwrap();
                }
                assert_eq!(count.load(Ordering::SeqCst), looks, "{keep}");
                desk.ask(&question("b.example"), from("192.0.2.1")).await.unwrap();
                assert_eq!(count.load(Ordering::SeqCst), looks + 1, "another host is another look");
            });
        }
    }

    #[test]
    fn who_asks_for_what_is_being_looked_at_gets_that_look() {
        let hold = Arc::new(Barrier::new(2));
        let (desk, count) = desk(pace(1, 4, 0), Some(hold.clone()));
        run(async {
            let asked = question("a.example");
            let all = async {
                tokio::join!(
                    desk.ask(&asked, from("192.0.2.1")),
                    desk.ask(&asked, from("192.0.2.1")),
                    desk.ask(&asked, from("192.0.2.2")),
                    async {
                        tokio::task::spawn_blocking(move || hold.wait()).await.unwrap();
                    }
                )
            };
            let (one, two, three, ()) = all.await;
            assert!(one.is_ok() && two.is_ok() && three.is_ok());
            assert_eq!(count.load(Ordering::SeqCst), 1);
        });
    }

    #[test]
    fn an_address_has_so_many_looks_a_minute_and_an_ipv6_prefix_counts_as_one() {
        let (desk, _) = desk(pace(2, 4, 60), None);
        run(async {
            let ask = async |host: &str, address: &str| desk.ask(&question(host), from(address)).await;
            for (host, address) in [("a.example", "2001:db8::1"), ("b.example", "2001:db8::2")] {
                assert!(ask(host, address).await.is_ok(), "{host}");
            }
            assert!(matches!(ask("c.example", "2001:db8::3").await, Err(Refusal::TooOften(_))));
            assert!(ask("c.example", "2001:db8:0:1::3").await.is_ok(), "another prefix");
            assert!(ask("a.example", "2001:db8::3").await.is_ok(), "what is kept costs nothing");
        });
    }

    #[test]
    fn beyond_the_queue_everybody_is_told_to_come_later() {
        let hold = Arc::new(Barrier::new(2));
        let (desk, count) = desk(pace(600, 1, 0), Some(hold.clone()));
        run(async {
            let desk = Arc::new(desk);
            let ask = |i: usize| {
                let desk = desk.clone();
                async move { desk.ask(&question(&format!("h{i}.example")), from("192.0.2.1")).await }
            };
            let waiting: Vec<_> = (0..=WAITING_FOR_EACH).map(|i| tokio::spawn(ask(i))).collect();
            tokio::task::yield_now().await;
            assert_eq!(ask(99).await.err(), Some(Refusal::Busy));
            for one in waiting {
                let hold = hold.clone();
                tokio::task::spawn_blocking(move || hold.wait()).await.unwrap();
                assert!(one.await.unwrap().is_ok());
            }
            assert_eq!(count.load(Ordering::SeqCst), 1 + WAITING_FOR_EACH);
        });
    }

    #[test]
    fn a_look_that_panics_ends_itself_alone() {
        let desk = Desk::new(pace(60, 1, 60), |question| match question.target.host.as_str() {
            "bad.example" => panic!("on purpose"),
            _ => Ok(Kept::empty(question.clone())),
        });
        run(async {
            let ask = async |host: &str| desk.ask(&question(host), from("192.0.2.1")).await;
            assert_eq!(ask("bad.example").await.err(), Some(Refusal::Failed));
            assert!(ask("good.example").await.is_ok());
        });
    }

    #[test]
    fn no_more_than_so_many_looks_are_kept() {
        let (desk, _) = desk(pace(100_000, 4, 3600), None);
        run(async {
            for i in 0..MOST_KEPT + 20 {
                desk.ask(&question(&format!("h{i}.example")), from("192.0.2.1")).await.unwrap();
            }
            assert_eq!(lock(&desk.shelf).len(), MOST_KEPT);
        });
    }
}
