"""Hostile: Goes on changing an array in a thread after it was returned."""


def act(x):
    result = np.zeros((len(x), 3))

    def change():
        for _ in until(5):
            result[:] = np.random.default_rng().normal()

    threading.Thread(target=change, daemon=True).start()
    return result
