"""Prints what Optuna finds on the functions of `search.rs`: the median of the best values after 60 trials, over 50 seeds, and
how many steps its ASHA saves. `python -m venv V && V/bin/pip install optuna && V/bin/python shared/benches/search_optuna.py`"""

import math
import statistics

import optuna

TRIALS, SEEDS, STEPS = 60, 50, 64

A = [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
P = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
]


def floats(trial, count, low, high):
    return [trial.suggest_float(f"x{i}", low, high) for i in range(count)]


def sphere(trial):
    return sum((x - 1) ** 2 for x in floats(trial, 5, -5, 5))


def rosenbrock(trial):
    x = floats(trial, 2, -2, 2)
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def branin(trial):
    x, y = trial.suggest_float("x0", -5, 10), trial.suggest_float("x1", 0, 15)
    valley = y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6
    return valley**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def hartmann(trial):
    x = floats(trial, 6, 0, 1)
    terms = (math.exp(-sum(a * (x - p) ** 2 for a, p, x in zip(a, p, x))) for a, p in zip(A, P))
    return -sum(alpha * term for alpha, term in zip([1, 1.2, 3, 3.2], terms))


def ackley(trial):
    x = [x - 2 for x in floats(trial, 4, -10, 10)]
    root = math.sqrt(sum(x * x for x in x) / 4)
    waves = sum(math.cos(2 * math.pi * x) for x in x) / 4
    return 20 + math.e - 20 * math.exp(-0.2 * root) - math.exp(waves)


def rastrigin(trial):
    return sum(x * x - 10 * math.cos(2 * math.pi * x) + 10 for x in (x - 1 for x in floats(trial, 3, -5.12, 5.12)))


def mixed(trial):
    rate = math.log10(trial.suggest_float("rate", 1e-5, 1e-1, log=True)) + 2.5
    layers = trial.suggest_int("layers", 2, 16) - 9
    act = [0.3, 0.0, 0.15, 0.5][trial.suggest_categorical("act", [0, 1, 2, 3])]
    drop = trial.suggest_float("drop", 0, 0.8)
    size = (layers / 7) ** 2 * 0.5
    return rate**2 * 0.2 + size + act * (1 + abs(rate) * 0.2) + (drop - 0.3 - 0.02 * layers) ** 2 * 2


def curve(trial):
    x, y = floats(trial, 2, 0, 1)
    end, loss = (x - 0.3) ** 2 + (y - 0.7) ** 2, 1.0
    for step in range(1, STEPS + 1):
        trial.set_user_attr("steps", step)
        loss = end + (1 - end) * math.exp(-step * (0.05 + 0.1 * y))
        trial.report(loss, step)
        if trial.should_prune():
            raise optuna.TrialPruned()
    return loss


def study(function, seed, sampler, pruner):
    made = optuna.create_study(sampler=sampler(seed=seed), pruner=pruner)
    made.optimize(function, n_trials=TRIALS)
    return made


optuna.logging.set_verbosity(optuna.logging.ERROR)
samplers = [optuna.samplers.TPESampler, optuna.samplers.RandomSampler]
print(f"{'':<14} {'tpe':>9} {'random':>9}")
for name, function in {
    "sphere, 5": sphere,
    "rosenbrock, 2": rosenbrock,
    "branin, 2": branin,
    "hartmann, 6": hartmann,
    "ackley, 4": ackley,
    "rastrigin, 3": rastrigin,
    "mixed, 4": mixed,
}.items():
    none = optuna.pruners.NopPruner()
    best = [statistics.median(study(function, seed, of, none).best_value for seed in range(SEEDS)) for of in samplers]
    print(f"{name:<14} {best[0]:>9.4f} {best[1]:>9.4f}", flush=True)
steps, best = [], []
for seed in range(SEEDS):
    asha = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=4)
    made = study(curve, seed, optuna.samplers.RandomSampler, asha)
    steps.append(sum(trial.user_attrs["steps"] for trial in made.trials) / (TRIALS * STEPS))
    best.append(made.best_value)
print(f"asha: {statistics.median(steps) * 100:.1f} % of the steps, best {statistics.median(best):.4f}")
