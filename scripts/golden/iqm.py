"""iqm.json: interquartile means by scipy, as rliable (Agarwal et al. 2021) takes them."""
from scipy.stats import trim_mean

from files import write_json

TIES = [[3, 3, 3], [1, 1, 2, 2, 9, 9], [0.5, -0.5, 0.5, -0.5, 0.5, 7, -7, 0]]


def main():
    samples = [[(37 * i * i + 11 * n) % 101 / 10 - 5 for i in range(n)] for n in range(1, 18)] + TIES
    cases = [{"values": values, "mean": float(trim_mean(values, 0.25))} for values in samples]
    write_json("iqm.json", {"cases": cases}, rows="cases")


if __name__ == "__main__":
    main()
