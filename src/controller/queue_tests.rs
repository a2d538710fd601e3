//! So many passes at a time, none lost, and none begun once the process is told to end.

#![allow(clippy::unwrap_used)]

use super::*;
use futures::channel::mpsc::{UnboundedSender, unbounded};
use std::sync::Mutex;
use tokio::sync::Semaphore;

/// What passes came to, and what holds them up.
struct Hall {
    begun: Mutex<Vec<String>>,
    /// Passes under way, and the most that there were.
    crowd: Mutex<(usize, usize)>,
    doors: Semaphore,
    gone: Mutex<Vec<String>>,
    back_in: Option<Duration>,
}

impl Hall {
    fn new(doors: usize, back_in: Option<Duration>) -> Arc<Self> {
        let doors = Semaphore::new(doors);
        Arc::new(Self { begun: Mutex::default(), crowd: Mutex::default(), doors, gone: Mutex::default(), back_in })
    }

    fn begin(
        self: &Arc<Self>,
        object: &Object,
    ) -> Option<impl Future<Output = Option<Duration>> + Send + 'static + use<>> {
        let name = object.parts().1.to_owned();
        if name == "gone" {
            self.gone.lock().unwrap().push(name);
            return None;
        }
        let hall = Arc::clone(self);
        Some(async move {
            hall.begun.lock().unwrap().push(name);
            {
                let mut crowd = hall.crowd.lock().unwrap();
                crowd.0 += 1;
                crowd.1 = crowd.1.max(crowd.0);
            }
            hall.doors.acquire().await.unwrap().forget();
            hall.crowd.lock().unwrap().0 -= 1;
            hall.back_in
        })
    }

    fn begun(&self) -> Vec<String> {
        self.begun.lock().unwrap().clone()
    }
}

struct Driven {
    hall: Arc<Hall>,
    wakes: UnboundedSender<Object>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Driven {
    fn start(places: usize, hall: &Arc<Hall>) -> Self {
        let (wakes, out) = unbounded();
        let (stop, hall) = (CancellationToken::new(), Arc::clone(hall));
        let (until, begins) = (stop.clone(), Arc::clone(&hall));
        let task = tokio::spawn(async move { drive(out, places, |object| begins.begin(object), || {}, &until).await });
        Self { hall, wakes, stop, task }
    }

    fn wake(&self, name: &str) {
        self.wake_in("a", name);
    }

    fn wake_in(&self, namespace: &str, name: &str) {
        self.wakes.unbounded_send(Object::new(namespace, name)).unwrap();
    }

    /// Lets everything happen that can without time passing.
    async fn settle(&self) {
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn there_are_so_many_passes_at_a_time_and_each_has_its_own() {
    let driven = Driven::start(2, &Hall::new(0, None));
    let names: Vec<_> = (0..20).map(|number| number.to_string()).collect();
    for name in &names {
        driven.wake(name);
    }
    driven.settle().await;
    assert_eq!(driven.hall.begun(), ["0", "1"]);
    driven.hall.doors.add_permits(100);
    driven.settle().await;
    assert_eq!(driven.hall.begun(), names);
    assert_eq!(*driven.hall.crowd.lock().unwrap(), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn one_place_of_eight_is_kept_for_a_namespace_that_has_no_pass_under_way() {
    let driven = Driven::start(8, &Hall::new(0, None));
    for number in 0..20 {
        driven.wake(&number.to_string());
    }
    driven.settle().await;
    assert_eq!(driven.hall.begun().len(), 7);
    driven.wake_in("alone", "first");
    driven.wake_in("alone", "second");
    driven.settle().await;
    assert_eq!(driven.hall.begun().get(7..), Some(&["first".to_owned()][..]));
    driven.hall.doors.add_permits(100);
    driven.settle().await;
    assert_eq!(driven.hall.begun().len(), 22);
    assert_eq!(driven.hall.crowd.lock().unwrap().1, 8);
}

#[tokio::test(start_paused = true)]
async fn who_is_gone_takes_no_place_and_keeps_nobody_waiting() {
    let driven = Driven::start(1, &Hall::new(0, None));
    for name in ["gone", "first", "gone", "second"] {
        driven.wake(name);
    }
    driven.settle().await;
    driven.hall.doors.add_permits(1);
    driven.settle().await;
    assert_eq!(driven.hall.begun(), ["first", "second"]);
}

#[tokio::test(start_paused = true)]
async fn a_pass_comes_back_when_it_says_so_or_when_it_is_woken() {
    let driven = Driven::start(1, &Hall::new(100, Some(Duration::from_secs(60))));
    driven.wake("jane");
    driven.settle().await;
    assert_eq!(driven.hall.begun().len(), 1);
    tokio::time::sleep(Duration::from_secs(61)).await;
    driven.settle().await;
    assert_eq!(driven.hall.begun().len(), 2);
    driven.wake("jane");
    driven.settle().await;
    assert_eq!(driven.hall.begun().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_end_waits_for_passes_under_way_and_begins_no_other() {
    let driven = Driven::start(1, &Hall::new(0, Some(Duration::ZERO)));
    driven.wake("under way");
    driven.wake("waiting");
    driven.settle().await;
    driven.stop.cancel();
    driven.settle().await;
    assert!(!driven.task.is_finished());
    driven.hall.doors.add_permits(100);
    driven.task.await.unwrap();
    assert_eq!(driven.hall.begun(), ["under way"]);
}
