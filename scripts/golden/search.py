"""search.json: what Optuna proposes, how its densities look and which trials it stops; needs Optuna 5.0.0 instead of PyTorch."""
import json
import math
import random
import warnings
from functools import partial
from unittest import mock

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator
from optuna.samplers._tpe.sampler import _split_trials, default_gamma, default_weights

from files import write_json

SEEDS, TRIALS = 20, 100
SAMPLERS = {
    "tpe": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "independent": lambda seed: optuna.samplers.TPESampler(seed=seed, multivariate=False),
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
}


def branin(trial):
    x = trial.suggest_float("x", -5, 10)
    y = trial.suggest_float("y", 0, 15)
    bowl = (y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6) ** 2
    return bowl + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def training(trial):
    """A made-up loss of a training whose settings depend on each other; its minimum is 0."""
    optimizer = trial.suggest_categorical("optimizer", ["sgd", "adamw"])
    rate = math.log10(trial.suggest_float("rate", 1e-5, 1, log=True))
    if optimizer == "sgd":
        loss = 0.3 * (rate + 1) ** 2 + 2 * (trial.suggest_float("momentum", 0, 0.99) - 0.9) ** 2
    else:
        decay = math.log10(trial.suggest_float("decay", 1e-6, 0.1, log=True))
        loss = 0.3 * (rate + 3) ** 2 + 0.05 * (decay + 3) ** 2 + 0.05
    loss += 0.01 * (trial.suggest_int("depth", 1, 12) - 7) ** 2
    loss += 0.02 * (math.log2(trial.suggest_int("width", 8, 1024, log=True)) - 8) ** 2
    method = trial.suggest_categorical("method", ["sgd", "sam", "eigen-sam"])
    if method == "sgd":
        return loss + 0.3
    rho = math.log10(trial.suggest_float("rho", 1e-3, 1, log=True))
    if method == "sam":
        return loss + 0.2 * (rho + 1.5) ** 2 + 0.15
    return loss + 0.2 * (rho + 1) ** 2 + (trial.suggest_float("alpha", 0, 1) - 0.2) ** 2


def best(objective, sampler):
    """The best of 100 values, by seed."""
    values = []
    for seed in range(SEEDS):
        study = optuna.create_study(sampler=sampler(seed))
        study.optimize(objective, n_trials=TRIALS)
        values.append(study.best_value)
    return values


PARAMETERS = optuna.samplers.TPESampler()._parzen_estimator_parameters


def density(distribution, observations, points):
    """Centres, widths or probabilities of the mixture, its weights, and the logarithm of its density at points."""
    internal = lambda values: np.array([distribution.to_internal_repr(v) for v in values], dtype=float)
    estimator = _ParzenEstimator({"p": internal(observations)}, {"p": distribution}, PARAMETERS)
    mixture = estimator._mixture_distribution
    kernels = mixture.distributions[0]
    numeric = {} if isinstance(distribution, CategoricalDistribution) else {
        "centres": kernels.mu.tolist(),
        "widths": kernels.sigma.tolist(),
    }
    return {
        "domain": domain(distribution),
        "observations": observations,
        **numeric,
        "weights": mixture.weights.tolist(),
        "points": points,
        "log": estimator.log_pdf({"p": internal(points)}).tolist(),
    }


def domain(distribution):
    if isinstance(distribution, CategoricalDistribution):
        return {"kind": "choice", "values": list(distribution.choices)}
    return {
        "kind": "range",
        "min": distribution.low,
        "max": distribution.high,
        "log": distribution.log,
        "integer": isinstance(distribution, IntDistribution),
    }


def densities():
    draw = random.Random(1)
    plain, log = FloatDistribution(-5, 10), FloatDistribution(1e-5, 1, log=True)
    whole, log_whole = IntDistribution(1, 8), IntDistribution(8, 512, log=True)
    choice = CategoricalDistribution(["sgd", "sam", "eigen-sam"])
    many = lambda n, each: [each() for _ in range(n)]
    rates, sizes = [2e-5, 1e-3, 0.5], [8, 9, 64, 300, 512]
    return [
        density(plain, [], [-4, 3]),
        density(plain, [1.5], [-4.9, 1.5, 9]),
        density(plain, [7, 2, 2.5], [-4, 2, 2.2, 5, 9.9]),
        density(plain, [-5, 10, 0], [-4.5, 0.1, 9]),
        density(plain, [3, 3, 3, 4], [2.9, 3, 8]),
        density(plain, many(40, lambda: draw.uniform(-5, 10)), [-4, 0, 3, 9]),
        density(plain, many(150, lambda: draw.gauss(2, 0.01)), [-4, 2, 2.02, 9]),
        density(log, [1e-3], rates),
        density(log, many(30, lambda: 10 ** draw.uniform(-5, 0)), rates),
        density(whole, [], list(range(1, 9))),
        density(whole, [3, 3, 8, 1], list(range(1, 9))),
        density(whole, many(60, lambda: draw.randint(1, 4)), list(range(1, 9))),
        density(log_whole, [64], sizes),
        density(log_whole, many(26, lambda: draw.randint(8, 512)), sizes),
        density(choice, [], list(choice.choices)),
        density(choice, ["sam"], list(choice.choices)),
        density(choice, many(40, lambda: draw.choice(choice.choices)), list(choice.choices)),
    ]


def ratio(direction, seed, complete=range(36)):
    """Random trials of the training, one of them infinitely bad, some stopped early and three running, and what TPE makes of them."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed), direction=direction)
    sign = 1 if direction == "minimize" else -1

    def objective(trial):
        # One digit, so that some values are equal.
        value = sign * (math.inf if trial.number == 4 else round(training(trial), 1))
        if trial.number in complete:
            return value
        trial.report(value, 4 ** (trial.number % 3))
        raise optuna.TrialPruned

    study.optimize(objective, n_trials=36)
    for _ in range(3):
        training(study.ask())
    trials = study.get_trials()
    good, bad = _split_trials(study, trials, default_gamma(36))
    sampler = optuna.samplers.TPESampler(multivariate=False)
    distributions = {key: d for trial in trials for key, d in trial.distributions.items()}
    ratios = {}
    for key, distribution in distributions.items():
        space = {key: distribution}
        points = sorted({trial.params[key] for trial in trials if key in trial.params})[::4]
        internal = {key: np.array([distribution.to_internal_repr(point) for point in points])}
        estimators = [sampler._build_parzen_estimator(study, space, part, part is good) for part in (good, bad)]
        logs = sampler._compute_acquisition_func(internal, *estimators)
        ratios[key] = [points, logs.tolist()]
    listed = [[t.params, None if t.state.name == "RUNNING" else json.dumps(t.value), t.last_step] for t in trials]
    return {"direction": direction, "trials": listed, "good": [t.number for t in good], "ratios": ratios}


def parts():
    """With equal observations in the order of their trials, where numpy's usual sort has another on every processor."""
    with mock.patch.object(np, "argsort", partial(np.argsort, kind="stable")):
        return {"densities": densities(), "ratios": [ratio("minimize", 1), ratio("maximize", 2), ratio("minimize", 3, [5, 20])]}


def halving(direction, eta, least, most, seed):
    """Trials side by side, each reporting every step; kept are the reports that Optuna decides on: trial, step, value, goes on."""
    draw = random.Random(seed)
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=least, reduction_factor=eta)
    study = optuna.create_study(direction=direction, pruner=pruner)
    worst = math.inf if direction == "minimize" else -math.inf
    decisions = []

    def report(trial, step, value):
        rungs = lambda: len(study._storage.get_trial(trial._trial_id).system_attrs)
        before = rungs()
        trial.report(value, step)
        stops = trial.should_prune()
        if stops or rungs() > before:
            decisions.append([trial.number, step, json.dumps(value), not stops])
        return not stops

    running = []
    for _ in range(1000 * most):
        if len(running) < 6:
            running.append([study.ask(), 0, draw.random()])
        slot = draw.randrange(len(running))
        running[slot][1] += 1
        trial, step, quality = running[slot]
        # Two digits, so that some values are equal.
        value = worst if draw.random() < 0.01 else round(quality + draw.random() / step, 2)
        if not report(trial, step, value) or step == most:
            del running[slot]
        if trial.number == 150:
            break
    report(study.ask(), least, math.nan)
    return {"direction": direction, "eta": eta, "min": least, "max": most, "decisions": decisions}


def main():
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    objectives = {"branin": branin, "training": training}
    write_json(
        "search.json",
        {
            "optuna": optuna.__version__,
            "best": {
                name: {sampler: best(objective, make) for sampler, make in SAMPLERS.items()}
                for name, objective in objectives.items()
            },
            "good": [default_gamma(n) for n in range(301)],
            "weights": [default_weights(n).tolist() for n in (0, 1, 24, 25, 26, 27, 40)],
            **parts(),
            "halving": [
                halving("minimize", 4, 1, 100, 1),
                halving("maximize", 3, 2, 50, 2),
                halving("minimize", 2, 5, 50, 3),
            ],
        },
        rows="densities",
    )


if __name__ == "__main__":
    main()
