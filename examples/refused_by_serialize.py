"""What another process could not restore is refused when it is written, with what to do instead."""

from routilux import Flow, Routine


# ❌ This will fail during serialization
class BadRoutine(Routine):
    def __init__(self, required_param):
        super().__init__()
        self.param = required_param


# ✅ Correct: Use _config dictionary
class GoodRoutine(Routine):
    def __init__(self):
        super().__init__()
        # Configuration is set after creation

    def configure(self, param1, param2):
        self.set_config(param1=param1, param2=param2)


class OtherRoutine(Routine):
    def process(self, **data):
        pass


other_routine = OtherRoutine()


class MyRoutine(Routine):
    def __init__(self):
        super().__init__()
        # ❌ Wrong: Using method from another routine
        # This will raise ValueError during serialization
        self.input_slot = self.define_slot("input", handler=other_routine.process)


def constructor_parameters() -> None:
    flow = Flow()
    routine = BadRoutine("value")  # This works
    flow.add_routine(routine, "bad_routine")
    try:
        flow.serialize()
    except TypeError as error:
        print(f"TypeError: {error}\n")


def configured() -> None:
    flow = Flow()
    routine = GoodRoutine()
    routine.configure(param1="value1", param2="value2")
    flow.add_routine(routine, "good_routine")

    # This will succeed
    data = flow.serialize()
    print(f"GoodRoutine: {data['routines']['good_routine']['_config']}\n")


def foreign_method() -> None:
    flow = Flow()
    flow.add_routine(other_routine, "other_id")
    flow.add_routine(MyRoutine(), "my_id")
    try:
        flow.serialize()
    except ValueError as error:
        print(f"ValueError: {error}")


if __name__ == "__main__":
    constructor_parameters()
    configured()
    foreign_method()
